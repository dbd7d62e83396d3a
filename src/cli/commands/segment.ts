// `whippet segment …`

import { type Command, serverCommand } from "../command.ts";
import { found } from "../missing.ts";
import { countText, sizeWords } from "../output/words.ts";
import { required } from "../parameters.ts";
import { itemsCount } from "../values.ts";
import { mayGo, notDone } from "./ask.ts";
import { manageTopic, partition, partitionText, stream, topic } from "./places.ts";

const remove = serverCommand({
  words: ["segment", "delete"],
  alias: "d",
  summary: "Delete the oldest segments of a partition with their messages",
  details: "The segment that is written to stays.",
  examples: ["segment delete orders created 0 1", "segment delete orders created 0 10 --yes"],
  arguments: { stream, topic, partition, segmentsCount: required(itemsCount, "How many, from the oldest on") },
  right: manageTopic("manage topics of"),
  async run(client, args, output, session) {
    const recordOf = async () => {
      const { partitions } = found(await client.getTopic(args.stream, args.topic));
      return found(partitions.find(({ id }) => id === args.partition));
    };
    const before = await recordOf();
    // How many messages are in which segment is not known here: at most all.
    const place = `up to ${countText(args.segmentsCount, "segment")} of ${partitionText(args)}`;
    const messagesCount = before.segmentsCount > 1 ? before.messagesCount : 0n;
    if (!(await mayGo(session, { verb: "delete", messagesCount, place, isMost: true }))) return output.say(notDone);
    await client.deleteSegments(args.stream, args.topic, args.partition, args.segmentsCount);
    const after = await recordOf();
    const segments = countText(before.segmentsCount - after.segmentsCount, "segment");
    const gone = countText(before.messagesCount - after.messagesCount, "message");
    await output.say(
      `Deleted ${segments} of ${partitionText(args)} (${sizeWords(before.sizeBytes - after.sizeBytes)}, ${gone}).`,
    );
  },
});

export const commands: readonly Command[] = [remove];
