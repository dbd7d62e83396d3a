// Every command that the broker answers, by code. Send messages (101) is the one that is not here: send-messages.ts.
import { CommandCode } from "../protocol/codes.ts";
import type { Command } from "./command.ts";
import { groupCommands } from "./commands/group.ts";
import { messageCommands } from "./commands/message.ts";
import { offsetCommands } from "./commands/offset.ts";
import { streamCommands } from "./commands/stream.ts";
import { systemCommands } from "./commands/system.ts";
import { tokenCommands } from "./commands/token.ts";
import { topicCommands } from "./commands/topic.ts";
import { userCommands } from "./commands/user.ts";

const commands: readonly Command[] = [
  ...systemCommands,
  ...userCommands,
  ...tokenCommands,
  ...messageCommands,
  ...offsetCommands,
  ...streamCommands,
  ...topicCommands,
  ...groupCommands,
];

export const commandTable: ReadonlyMap<number, Command> = new Map(
  commands.map((command) => [CommandCode[command.name], command]),
);
