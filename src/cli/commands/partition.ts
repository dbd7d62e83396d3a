// `whippet partition …`

import { type Command, serverCommand } from "../command.ts";
import { found } from "../missing.ts";
import { countText, numberText } from "../output/words.ts";
import { required } from "../parameters.ts";
import { itemsCount } from "../values.ts";
import { mayGo, notDone } from "./ask.ts";
import { manageTopic, placeText, stream, topic } from "./places.ts";

const create = serverCommand({
  words: ["partition", "create"],
  alias: "c",
  summary: "Add partitions to a topic",
  examples: ["partition create orders created 2", "partition create 1 0 16"],
  arguments: { stream, topic, partitionsCount: required(itemsCount, "How many more") },
  right: manageTopic("manage topics of"),
  async run(client, args, output) {
    await client.createPartitions(args.stream, args.topic, args.partitionsCount);
    const now = (await client.getTopic(args.stream, args.topic))?.partitionsCount;
    const total = now === undefined ? "" : `: ${numberText(now)} now`;
    await output.say(`Created ${countText(args.partitionsCount, "partition")} in ${placeText(args)}${total}.`);
  },
});

const remove = serverCommand({
  words: ["partition", "delete"],
  alias: "d",
  summary: "Delete the last partitions of a topic with their messages",
  examples: ["partition delete orders created 2", "partition delete orders created 2 --yes"],
  arguments: { stream, topic, partitionsCount: required(itemsCount, "How many, from the last one on") },
  right: manageTopic("manage topics of"),
  async run(client, args, output, session) {
    const { partitions } = found(await client.getTopic(args.stream, args.topic));
    const going = partitions.slice(-args.partitionsCount);
    const messagesCount = going.reduce((sum, partition) => sum + partition.messagesCount, 0n);
    const place = `the last ${countText(args.partitionsCount, "partition")} of ${placeText(args)}`;
    if (!(await mayGo(session, { verb: "delete", messagesCount, place }))) return output.say(notDone);
    await client.deletePartitions(args.stream, args.topic, args.partitionsCount);
    const left = numberText(partitions.length - going.length);
    await output.say(`Deleted ${countText(args.partitionsCount, "partition")} of ${placeText(args)}: ${left} left.`);
  },
});

export const commands: readonly Command[] = [create, remove];
