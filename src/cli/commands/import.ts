// `whippet import`: the messages of a file into a topic, with their ids, headers and times of origin.

import type { Client } from "../../client/index.bun.ts";
import { u64Max } from "../../protocol/limits.ts";
import type { MessageOfLine } from "../../protocol/message-line.ts";
import { uuidText } from "../../protocol/message-line.ts";
import { type Command, serverCommand } from "../command.ts";
import type { Host } from "../host.ts";
import { countText, numberText, sizeWords } from "../output/words.ts";
import { flag, option, optionOr, required } from "../parameters.ts";
import { Problem } from "../problem.ts";
import { linesOf, readBytes } from "../transfer/files.ts";
import { type FileForm, fileForm, formOf } from "../transfer/format.ts";
import { LineError, readLine } from "../transfer/lines.ts";
import { nobody } from "../transfer/partitions.ts";
import { readRawMessages } from "../transfer/raw.ts";
import { Sender, type SendTarget } from "../transfer/sender.ts";
import { UsageError } from "../usage-error.ts";
import { identifierText, integer, nonEmpty, partitionId, sizeBytes } from "../values.ts";
import { placeText, stream, type TopicPlace, topic } from "./places.ts";

/** A message of the file, and the partition that it was read from. */
interface Found {
  readonly partitionId: number;
  readonly message: MessageOfLine;
}

function target(given: string): SendTarget {
  if (given === "file") return { kind: "own partition" };
  if (given === "balanced") return { kind: "balanced" };
  if (given.startsWith("key:") && given.length > 4) return { kind: "header", name: given.slice(4) };
  if (/^\d+$/.test(given)) return { kind: "partition", partitionId: partitionId(given) };
  throw new UsageError("is not file, balanced, key:HEADER or the number of a partition");
}

async function* messagesOf(path: string, form: FileForm, host: Host): AsyncGenerator<Found, void, undefined> {
  if (form === "raw") {
    for await (const message of readRawMessages(readBytes(path, host), path)) yield { partitionId: 0, message };
    return;
  }
  for await (const { text, number } of linesOf(readBytes(path, host))) {
    if (text === "") continue;
    try {
      yield readLine(text);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      throw new Problem(`${path}, line ${number}: ${error.message}`, { cause: error });
    }
  }
}

/** Ids of the last messages of all partitions that have some: what was sent in order ends with one of them. */
async function lastIds(client: Client, place: TopicPlace): Promise<Set<bigint>> {
  const details = await client.getTopic(place.stream, place.topic);
  const ids = new Set<bigint>();
  for (const { id: partition, messagesCount } of details?.partitions ?? []) {
    if (messagesCount === 0n) continue;
    const strategy = { kind: "last", value: 0n } as const;
    const polled = await client.pollMessages({
      ...place,
      partitionId: partition,
      consumer: nobody,
      strategy,
      count: 1,
    });
    const last = polled.messages.at(-1);
    if (last !== undefined) ids.add(last.id);
  }
  return ids;
}

const importCommand = serverCommand({
  words: ["import"],
  summary: "Send the messages of a file to a topic",
  details: [
    "Ids, headers and times of origin are kept; offsets and times are the server's. The first line that is wrong ends it, and is named.",
    "--resume goes on behind what the topic has: it looks for the last ids of its partitions in the file.",
    "- reads stdin. Files called .zst or .gz are unpacked.",
  ].join("\n"),
  examples: [
    "import orders copy november.ndjson.zst",
    "import orders copy november.ndjson --partition key:customer --rate 50MB",
    "import orders copy 0.log --create 1 --partition 0",
  ],
  arguments: {
    stream,
    topic,
    path: required(nonEmpty, "What export has written; - for stdin", { completes: "files" }),
  },
  options: {
    form: fileForm,
    target: optionOr(
      "--partition <WHERE>",
      target,
      { kind: "own partition" },
      "file (each where it was), balanced, key:HEADER, or a number (file)",
    ),
    rate: option("--rate <SIZE>", sizeBytes, "At most so many bytes a second, such as 50MB"),
    create: option("--create <COUNT>", integer(1, 1000), "Make the topic with so many partitions if it is missing"),
    isTried: flag("--dry-run", "Only read the file, and say what is in it"),
    isResumed: flag("--resume", "Go on behind what the topic has"),
  },
  lasts: true,
  right: (args) => ({ what: `send messages to ${placeText(args)}`, names: ["send_messages", "manage_topic"] }),
  async run(client, args, output, session) {
    const { path, isTried, isResumed, create } = args;
    if (args.rate === 0n) throw new UsageError("--rate 0 would never end");
    if (create !== undefined && !isTried) await ensureTopic(client, args, create);
    const plan = { ...args, bytesRate: args.rate === undefined ? undefined : Number(args.rate), rate: undefined };
    const sender = new Sender(client, plan, await session.encryption());
    const sought = isResumed ? await lastIds(client, args) : new Set<bigint>();
    const startedAtMs = performance.now();
    const counts = { read: 0, passed: 0, bytes: 0 };
    const progress = output.progress("import", () => ({
      texts: [
        countText(sender.messagesCount, "message"),
        sizeWords(BigInt(sender.bytesCount)),
        `${sizeWords(BigInt(sender.bytesRate))}/s`,
      ],
    }));
    try {
      for await (const { partitionId: from, message } of messagesOf(path, formOf(args.form, path), session.host)) {
        if (session.signal.aborted) break;
        counts.read++;
        counts.bytes += message.payload.length + message.userHeaders.length;
        if (sought.size > 0) {
          sought.delete(message.id);
          counts.passed = counts.read;
        } else if (!isTried) {
          await sender.add(toSend(message), from);
        }
      }
      if (sought.size > 0 && !session.signal.aborted) throw notFound(path, sought);
      await sender.flush();
    } catch (error) {
      progress.end();
      if (sender.messagesCount > 0) await output.say(`${countText(sender.messagesCount, "message")} sent before that.`);
      throw error;
    } finally {
      progress.end();
    }
    if (isTried) {
      const size = sizeWords(BigInt(counts.bytes));
      return output.say(
        `${path} has ${countText(counts.read - counts.passed, "message")} to send (${size}); nothing was sent.`,
      );
    }
    const seconds = numberText(Math.round((performance.now() - startedAtMs) / 1000));
    const passed = counts.passed > 0 ? `, ${numberText(counts.passed)} were there` : "";
    await output.say(
      `Sent ${countText(sender.messagesCount, "message")} to ${placeText(args)} in ${seconds} s${passed}.`,
    );
  },
});

function toSend({ id, payload, userHeaders, originTimestampMicros }: MessageOfLine) {
  return { id, payload, originTimestampMicros, ...(userHeaders.length === 0 ? {} : { userHeaders }) };
}

function notFound(path: string, sought: ReadonlySet<bigint>): Problem {
  const [id = 0n] = sought;
  return new Problem(`the topic ends with a message that ${path} does not have: ${uuidText(id)}`, {
    hints: ["Somebody else has sent to it, or it is another file. Without --resume everything is sent."],
  });
}

/** Kept for ever and of any size, where it is missing. */
async function ensureTopic(client: Client, place: TopicPlace, partitionsCount: number): Promise<void> {
  if ((await client.getTopic(place.stream, place.topic)) !== undefined) return;
  if (place.topic.kind === "numeric") throw new UsageError("--create needs the name of the topic, not a number");
  const name = place.topic.value;
  if (place.stream.kind === "string" && (await client.getStream(place.stream)) === undefined) {
    await client.createStream(identifierText(place.stream).replace(/^name:/, ""));
  }
  await client.createTopic(place.stream, { name, partitionsCount, messageExpiryMicros: u64Max });
}

export const commands: readonly Command[] = [importCommand];
