// `whippet topic …`

import { u64Max } from "../../protocol/limits.ts";
import { topicDetailsDocument, topicDocument } from "../api/streams.ts";
import { type Command, serverCommand } from "../command.ts";
import { found } from "../missing.ts";
import { expiryWord, maxSizeWord, utcText } from "../output/original.ts";
import { countText, expiryText, maxSizeText, numberText, sizeWords, timeText } from "../output/words.ts";
import { listMode, oneOf, option, optionOr, required, rest } from "../parameters.ts";
import { UsageError } from "../usage-error.ts";
import { entityName, identifierText, integer, maxTopicSize, messageExpiry, text } from "../values.ts";
import { mayGo, notDone } from "./ask.ts";
import { manageTopic, placeText, stream, topic } from "./places.ts";
import { topicTable } from "./topic-table.ts";

const compressions = ["none", "gzip"] as const;
const compression = required(oneOf(compressions), "none or gzip: a mark for clients, the server compresses nothing", {
  choices: compressions,
});
const expiry = rest(text, "How long messages are kept: 7days, 1day 12h, unlimited, server_default (server_default)");
const maxSize = option(
  "-m, --max-topic-size <SIZE>",
  maxTopicSize,
  "How large it may become: 15GB, unlimited, server_default (server_default)",
);
const replication = optionOr("-r, --replication-factor <COUNT>", integer(1, 255), 1, "Kept with the topic (1)");

/** The words behind the command are one duration: `1day 12h`. */
function expiryOf(words: readonly string[]): bigint {
  if (words.length === 0) return 0n;
  try {
    return messageExpiry(words.join(" "));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`<message-expiry> "${words.join(" ")}" ${error.message}`);
  }
}

/** "any size", "kept 7 days": how a topic of a size and an expiry is described. */
function limitsText(expiryMicros: bigint, maxSizeBytes: bigint): string {
  const keeping = expiryMicros === 0n ? "kept as long as the server's default" : `kept ${expiryText(expiryMicros)}`;
  return `${keeping}, ${maxSizeBytes === u64Max ? "any size" : `at most ${maxSizeText(maxSizeBytes)}`}`;
}

const list = serverCommand({
  words: ["topic", "list"],
  alias: "l",
  summary: "List the topics of a stream",
  examples: ["topic list orders", "topic list orders -l list", "topic list orders --json"],
  arguments: { stream },
  options: { listMode },
  right: (args) => ({ what: `list topics of ${identifierText(args.stream)}`, names: ["read_topics", "read_stream"] }),
  async run(client, args, output) {
    const topics = await client.getTopics(args.stream);
    // Of a stream that is not there the list is empty (spec BP 4.8).
    if (topics.length === 0) found(await client.getStream(args.stream));
    await output.as(args.listMode).show({
      document: topics.map(topicDocument),
      shown: [topicTable(topics)],
      list: topics.map((entry) => [
        entry.id,
        utcText(entry.createdAtMicros),
        entry.name,
        sizeWords(entry.sizeBytes),
        maxSizeWord(entry.maxTopicSizeBytes),
        entry.compression,
        expiryWord(entry.messageExpiryMicros),
        entry.messagesCount,
        entry.partitionsCount,
      ]),
    });
  },
});

const get = serverCommand({
  words: ["topic", "get"],
  alias: "g",
  summary: "Show a topic with its partitions",
  examples: ["topic get orders created", "topic get 1 0 --json"],
  arguments: { stream, topic },
  right: (args) => ({ what: `read topic ${placeText(args)}`, names: ["read_topic", "read_topics", "read_stream"] }),
  async run(client, args, output) {
    const details = found(await client.getTopic(args.stream, args.topic));
    const streamName = args.stream.kind === "string" ? args.stream.value : (await client.getStream(args.stream))?.name;
    const facts = [
      `${streamName ?? identifierText(args.stream)}/${details.name} (id ${details.id})`,
      `kept ${expiryText(details.messageExpiryMicros)}`,
      maxSizeText(details.maxTopicSizeBytes),
      `replication ${details.replicationFactor}`,
      ...(details.compression === "none" ? [] : [details.compression]),
      `created ${timeText(details.createdAtMicros)}`,
    ];
    const table = {
      columns: ["PARTITION", "SEGMENTS", "SIZE", "MESSAGES", "LAST OFFSET"].map((head) => ({ head, isRight: true })),
      rows: details.partitions.map((partition) => [
        String(partition.id),
        numberText(partition.segmentsCount),
        sizeWords(partition.sizeBytes),
        numberText(partition.messagesCount),
        partition.messagesCount === 0n && partition.currentOffset === 0n ? "–" : numberText(partition.currentOffset),
      ]),
    };
    await output.show({
      document: topicDetailsDocument(details),
      shown: [facts.join("   "), ...(details.partitions.length === 0 ? [] : [table])],
    });
  },
});

const create = serverCommand({
  words: ["topic", "create"],
  alias: "c",
  summary: "Make a topic",
  details:
    "Sizes and times are as for the original: 15GB, 512MiB, 7days, 1day 12h. The size is not smaller than a segment.",
  examples: [
    "topic create orders created 3 none 7days",
    "topic create orders created 3 none",
    "topic create -m 15GB logs app 1 none",
  ],
  arguments: {
    stream,
    name: required(entityName, "What it is called"),
    partitionsCount: required(integer(0, 100_000), "How many partitions"),
    compression,
    messageExpiry: expiry,
  },
  options: {
    topicId: option("-t, --topic-id <ID>", integer(0, 2 ** 32 - 1), "Of the original; the server gives the number", {
      isIgnored: true,
    }),
    maxSize,
    replication,
  },
  right: (args) => ({
    what: `make topics in ${identifierText(args.stream)}`,
    names: ["manage_topics", "manage_stream"],
  }),
  async run(client, args, output) {
    const made = await client.createTopic(args.stream, {
      name: args.name,
      partitionsCount: args.partitionsCount,
      compression: args.compression,
      messageExpiryMicros: expiryOf(args.messageExpiry),
      maxTopicSizeBytes: args.maxSize ?? 0n,
      replicationFactor: args.replication,
    });
    const partitions = countText(args.partitionsCount, "partition");
    const limits = limitsText(made.messageExpiryMicros, made.maxTopicSizeBytes);
    const where = identifierText(args.stream);
    const text = `Created topic ${made.name} (id ${made.id}) in ${where}: ${partitions}, ${limits}.`;
    await output.made(text, topicDetailsDocument(made));
  },
});

const update = serverCommand({
  words: ["topic", "update"],
  alias: "u",
  summary: "Change the name, the expiry and the size of a topic",
  details: "As in the original everything is set: what is not given becomes the server's default.",
  examples: ["topic update orders created created none 14days", "topic update -m 15GB logs app app none unlimited"],
  arguments: {
    stream,
    topic,
    name: required(entityName, "What it is called from now on"),
    compression,
    messageExpiry: expiry,
  },
  options: { maxSize, replication },
  right: manageTopic("change topics of"),
  async run(client, args, output) {
    const messageExpiryMicros = expiryOf(args.messageExpiry);
    const maxTopicSizeBytes = args.maxSize ?? 0n;
    await client.updateTopic(args.stream, args.topic, {
      name: args.name,
      compression: args.compression,
      messageExpiryMicros,
      maxTopicSizeBytes,
      replicationFactor: args.replication,
    });
    await output.say(
      `Updated topic ${placeText(args)}: ${args.name}, ${limitsText(messageExpiryMicros, maxTopicSizeBytes)}.`,
    );
  },
});

const remove = serverCommand({
  words: ["topic", "delete"],
  alias: "d",
  summary: "Delete a topic with all its messages",
  examples: ["topic delete orders created", "topic delete orders created --yes"],
  arguments: { stream, topic },
  right: manageTopic("manage topics of"),
  async run(client, args, output, session) {
    const details = found(await client.getTopic(args.stream, args.topic));
    const loss = { verb: "delete", messagesCount: details.messagesCount, place: placeText(args) };
    if (!(await mayGo(session, loss))) return output.say(notDone);
    await client.deleteTopic(args.stream, args.topic);
    await output.say(`Deleted topic ${placeText(args)} (id ${details.id}).`);
  },
});

const purge = serverCommand({
  words: ["topic", "purge"],
  alias: "p",
  summary: "Delete all messages of a topic, and the stored offsets",
  examples: ["topic purge orders created", "topic purge orders created --yes"],
  arguments: { stream, topic },
  right: manageTopic("manage topics of"),
  async run(client, args, output, session) {
    const details = found(await client.getTopic(args.stream, args.topic));
    const groups = (await client.getConsumerGroups(args.stream, args.topic)).length;
    const more = groups === 0 ? undefined : `the offsets of ${countText(groups, "group")}`;
    const loss = { verb: "purge", messagesCount: details.messagesCount, place: placeText(args), more };
    if (!(await mayGo(session, loss))) return output.say(notDone);
    await client.purgeTopic(args.stream, args.topic);
    await output.say(`Purged ${placeText(args)}: ${countText(details.messagesCount, "message")} removed.`);
  },
});

export const commands: readonly Command[] = [list, get, create, update, purge, remove];
