// `whippet stream …`

import type { Identifier } from "../../protocol/identifier.ts";
import type { StreamHeader } from "../../protocol/records/stream-header.ts";

import { streamDetailsDocument, streamDocument } from "../api/streams.ts";
import { type Command, serverCommand } from "../command.ts";
import { found } from "../missing.ts";
import { utcText } from "../output/original.ts";
import type { View } from "../output/output.ts";
import { countText, numberText, sizeWords, timeText } from "../output/words.ts";
import { listMode, option, required } from "../parameters.ts";
import { entityName, identifierText, integer } from "../values.ts";
import { mayGo, notDone } from "./ask.ts";
import { stream } from "./places.ts";
import { topicTable } from "./topic-table.ts";

function right(what: string, ...names: readonly string[]) {
  return (args: { readonly stream: Identifier }) => ({ what: `${what} ${identifierText(args.stream)}`, names });
}

function listView(streams: readonly StreamHeader[]): View {
  return {
    document: streams.map(streamDocument),
    shown: [
      {
        columns: [
          { head: "ID", isRight: true },
          { head: "NAME" },
          { head: "TOPICS", isRight: true },
          { head: "MESSAGES", isRight: true },
          { head: "SIZE", isRight: true },
          { head: "CREATED" },
        ],
        rows: streams.map((entry) => [
          String(entry.id),
          entry.name,
          numberText(entry.topicsCount),
          numberText(entry.messagesCount),
          sizeWords(entry.sizeBytes),
          timeText(entry.createdAtMicros),
        ]),
      },
    ],
    list: streams.map((entry) => [
      entry.id,
      utcText(entry.createdAtMicros),
      entry.name,
      sizeWords(entry.sizeBytes),
      entry.messagesCount,
      entry.topicsCount,
    ]),
  };
}

const list = serverCommand({
  words: ["stream", "list"],
  alias: "l",
  summary: "List all streams",
  examples: ["stream list", "stream list -l list", "stream list --json"],
  options: { listMode },
  right: () => ({ what: "list streams", names: ["read_streams", "manage_streams"] }),
  async run(client, args, output) {
    await output.as(args.listMode).show(listView(await client.getStreams()));
  },
});

const get = serverCommand({
  words: ["stream", "get"],
  alias: "g",
  summary: "Show a stream with its topics",
  examples: ["stream get orders", "stream get 1"],
  arguments: { stream },
  right: right("read stream", "read_stream", "read_streams", "manage_stream", "manage_streams"),
  async run(client, args, output) {
    const details = found(await client.getStream(args.stream));
    const facts = [
      `${details.name} (id ${details.id})`,
      countText(details.topicsCount, "topic"),
      countText(details.messagesCount, "message"),
      sizeWords(details.sizeBytes),
      `created ${timeText(details.createdAtMicros)}`,
    ];
    await output.show({
      document: streamDetailsDocument(details),
      shown: [facts.join("   "), ...(details.topics.length === 0 ? [] : [topicTable(details.topics)])],
    });
  },
});

const create = serverCommand({
  words: ["stream", "create"],
  alias: "c",
  summary: "Make a stream",
  examples: ["stream create orders", "-u iggy -p iggy stream create orders"],
  arguments: { name: required(entityName, "What it is called") },
  options: {
    streamId: option("-s, --stream-id <ID>", integer(0, 2 ** 32 - 1), "Of the original; the server gives the number", {
      isIgnored: true,
    }),
  },
  right: () => ({ what: "make streams", names: ["manage_streams"] }),
  async run(client, { name }, output) {
    const made = await client.createStream(name);
    await output.made(`Created stream ${made.name} (id ${made.id}).`, streamDocument(made));
  },
});

const update = serverCommand({
  words: ["stream", "update"],
  alias: "u",
  summary: "Give a stream another name",
  examples: ["stream update orders orders-2026", "stream update 1 orders"],
  arguments: { stream, name: required(entityName, "What it is called from now on") },
  right: right("change stream", "manage_stream", "manage_streams"),
  async run(client, args, output) {
    await client.updateStream(args.stream, args.name);
    await output.say(`Stream ${identifierText(args.stream)} is now called ${args.name}.`);
  },
});

const remove = serverCommand({
  words: ["stream", "delete"],
  alias: "d",
  summary: "Delete a stream with all its topics",
  examples: ["stream delete orders", "stream delete orders --yes"],
  arguments: { stream },
  right: right("delete stream", "manage_stream", "manage_streams"),
  async run(client, args, output, session) {
    const details = found(await client.getStream(args.stream));
    const more = details.topicsCount === 0 ? undefined : countText(details.topicsCount, "topic");
    const loss = { verb: "delete", messagesCount: details.messagesCount, place: `stream ${details.name}`, more };
    if (!(await mayGo(session, loss))) return output.say(notDone);
    await client.deleteStream(args.stream);
    await output.say(`Deleted stream ${details.name} (id ${details.id}).`);
  },
});

const purge = serverCommand({
  words: ["stream", "purge"],
  alias: "p",
  summary: "Delete all messages of a stream, and keep its topics",
  examples: ["stream purge orders", "stream purge orders --yes"],
  arguments: { stream },
  right: right("purge stream", "manage_stream", "manage_streams"),
  async run(client, args, output, session) {
    const details = found(await client.getStream(args.stream));
    const loss = { verb: "purge", messagesCount: details.messagesCount, place: `stream ${details.name}` };
    if (!(await mayGo(session, loss))) return output.say(notDone);
    await client.purgeStream(args.stream);
    await output.say(`Purged stream ${details.name}: ${countText(details.messagesCount, "message")} removed.`);
  },
});

export const commands: readonly Command[] = [list, get, create, update, purge, remove];
