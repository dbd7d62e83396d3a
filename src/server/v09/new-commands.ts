// Commands that 0.8 does not have (spec P9 9.2, 11.3), by name.
import type { DescribeOptionsRequest } from "../../protocol/v09/describe-options.ts";
import type { NewCommandCode } from "../../protocol/v09/operations.ts";
import type { SyncGroupRequest } from "../../protocol/v09/sync-group.ts";
import type { Command } from "../command.ts";
import { syncGroup } from "../commands/group-sync.ts";
import { describeOptions } from "../topic-options.ts";

type NewCommand = Pick<Command, "handle">;

export const newCommands09: Readonly<Record<keyof typeof NewCommandCode, NewCommand>> = {
  describeOptions: {
    handle: (context, _session, request) => describeOptions(context, (request as DescribeOptionsRequest).scope),
  },
  syncGroup: { handle: (context, session, request) => syncGroup(context, session, request as SyncGroupRequest) },
};
