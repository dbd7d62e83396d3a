// The join of a group that says what the member got (docs/protocol-extensions.md): it need not poll to find out.
import { requireTopic } from "../../metadata/index.ts";
import { CommandCode } from "../../protocol/codes.ts";
import { commandTable } from "../command-table.ts";
import { requireMember } from "../consumers.ts";
import { assignmentOf } from "../waiting/assignment.ts";
import { extension } from "./extension.ts";

const join = commandTable.get(CommandCode.joinConsumerGroup)!;

/** Errors: those of the join, and of a poll where the membership has ended since. */
export const joinWithAssignment = extension("joinWithAssignment", async (context, session, request) => {
  await join.handle(context, session, request);
  // Every shard has applied the join by now, this one too.
  const { stream, topic } = requireTopic(context.shard.state, request.stream, request.topic);
  const { group, member } = requireMember(session, { kind: "group", id: request.group }, stream, topic);
  const { number, partitionIds } = assignmentOf(group, member);
  return { assignmentNumber: number, partitionIds };
});
