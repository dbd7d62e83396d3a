// `whippet message …`

import { type Command, serverCommand } from "../command.ts";
import { flag } from "../parameters.ts";
import { poll } from "./message-poll.ts";
import { send } from "./message-send.ts";
import { partition, partitionText, placeText, stream, topic } from "./places.ts";

const flush = serverCommand({
  words: ["message", "flush"],
  alias: "f",
  summary: "Write what a partition still holds in memory to its files",
  examples: ["message flush orders created 0", "message flush -f orders created 0"],
  arguments: { stream, topic, partition },
  options: { isSynced: flag("-f, --fsync", "And wait until the disk has it") },
  right: (args) => ({ what: `flush ${placeText(args)}`, names: ["send_messages", "manage_topic"] }),
  async run(client, args, output) {
    await client.flushUnsavedBuffer(args.stream, args.topic, args.partition, args.isSynced);
    await output.say(`Flushed${args.isSynced ? " and synced" : ""} ${partitionText(args)}.`);
  },
});

export const commands: readonly Command[] = [send, poll, flush];
