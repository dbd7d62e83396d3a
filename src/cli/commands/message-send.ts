// `whippet message send`: the texts of the command line, the lines of stdin while they come, or the messages of a file.

import { createReadStream } from "node:fs";
import type { Client, Encryption } from "../../client/index.bun.ts";
import { messagePayloadBytesMax } from "../../protocol/limits.ts";
import type { MessageToSend } from "../../protocol/message/send-messages.ts";
import type { Partitioning } from "../../protocol/partitioning.ts";
import { serverCommand } from "../command.ts";
import type { Output } from "../output/output.ts";
import { countText, numberText, sizeWords } from "../output/words.ts";
import { option, repeated, rest } from "../parameters.ts";
import { Problem } from "../problem.ts";
import type { Session } from "../session.ts";
import { decodedHeaders, encodedHeaders, fieldText, headersOf } from "../transfer/headers.ts";
import { readRawMessages } from "../transfer/raw.ts";
import { UsageError } from "../usage-error.ts";
import { integer, nonEmpty, partitionId, text } from "../values.ts";
import { placeText, stream, type TopicPlace, topic } from "./places.ts";

/** Bounds of one request. */
const batchMessagesMax = 1_000;
const batchBytesMax = 1_000_000;
/** With a rate, batches are so small that ten leave in a second. */
const batchesPerSecond = 10;

interface Plan extends TopicPlace {
  readonly partitioning: Partitioning;
  /** Name of the header whose value is the key of a message. */
  readonly keyHeader: string | undefined;
  /** Messages in a second. */
  readonly rate: number | undefined;
}

/** Sends batches, and counts what was stored. */
class Sender {
  messagesCount = 0;
  bytesCount = 0;
  readonly #client: Client;
  readonly #plan: Plan;
  readonly #encryption: Encryption | undefined;
  readonly #startedAtMs = performance.now();
  #batch: MessageToSend[] = [];
  #batchBytes = 0;

  constructor(client: Client, plan: Plan, encryption: Encryption | undefined) {
    this.#client = client;
    this.#plan = plan;
    this.#encryption = encryption;
  }

  /** Messages in a second since the start. */
  get rate(): number {
    const seconds = (performance.now() - this.#startedAtMs) / 1000;
    return Math.round(this.messagesCount / Math.max(seconds, 0.001));
  }

  /** Takes a message, and sends what has come together if that is enough. */
  async add(message: MessageToSend): Promise<void> {
    const { rate = Number.POSITIVE_INFINITY } = this.#plan;
    const countMax = Math.max(1, Math.min(batchMessagesMax, Math.floor(rate / batchesPerSecond)));
    this.#batch.push(message);
    this.#batchBytes += message.payload.length + (message.userHeaders?.length ?? 0);
    if (this.#batch.length >= countMax || this.#batchBytes >= batchBytesMax) await this.flush();
  }

  /** Sends what has come together. */
  async flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    const bytes = this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#wait(batch.length);
    for (const [key, messages] of this.#byKey(batch)) {
      const { stream: toStream, topic: toTopic, partitioning } = this.#plan;
      await this.#client.sendMessages({
        stream: toStream,
        topic: toTopic,
        partitioning: key === undefined ? partitioning : { kind: "key", key: new TextEncoder().encode(key) },
        messages: await Promise.all(messages.map((message) => this.#encrypted(message))),
      });
      this.messagesCount += messages.length;
    }
    this.bytesCount += bytes;
  }

  /** Until the rate allows `count` more. */
  async #wait(count: number): Promise<void> {
    const { rate } = this.#plan;
    if (rate === undefined) return;
    const dueAtMs = this.#startedAtMs + ((this.messagesCount + count - 1) / rate) * 1000;
    const nowMs = performance.now();
    if (dueAtMs > nowMs) await Bun.sleep(dueAtMs - nowMs);
  }

  #byKey(batch: readonly MessageToSend[]): Map<string | undefined, MessageToSend[]> {
    const { keyHeader } = this.#plan;
    return Map.groupBy(batch, ({ userHeaders }) => {
      if (keyHeader === undefined) return undefined;
      const header = decodedHeaders(userHeaders ?? new Uint8Array(0))?.find(({ key }) => fieldText(key) === keyHeader);
      if (header === undefined) throw new Problem(`a message has no header "${keyHeader}" to take its key from`);
      return fieldText(header.value);
    });
  }

  async #encrypted(message: MessageToSend): Promise<MessageToSend> {
    if (this.#encryption === undefined) return message;
    const { payload, userHeaders } = message;
    return {
      ...message,
      payload: await this.#encryption.encrypt(payload),
      ...(userHeaders === undefined ? {} : { userHeaders: await this.#encryption.encrypt(userHeaders) }),
    };
  }
}

type Make = (payload: Uint8Array) => MessageToSend;

function made(make: Make, payload: Uint8Array): MessageToSend {
  if (payload.length > messagePayloadBytesMax) throw new Problem("a message is larger than 64 MB");
  return make(payload);
}

/** Each line of stdin as a message; what has come is sent before more is waited for. Empty lines are none. */
async function sendLines(sender: Sender, make: Make, { host, signal }: Session): Promise<void> {
  const interrupted = new Promise<undefined>((resolve) => signal.addEventListener("abort", () => resolve(undefined)));
  let rest: Uint8Array = new Uint8Array(0);
  while (!signal.aborted) {
    const chunk = await Promise.race([host.stdin.read(), interrupted]);
    if (chunk === undefined) break;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end >= 0 && !signal.aborted; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end > 0 && rest[end - 1] === 13 ? end - 1 : end);
      rest = rest.subarray(end + 1);
      if (line.length > 0) await sender.add(made(make, line));
    }
    await sender.flush();
  }
  if (rest.length > 0 && !signal.aborted) await sender.add(made(make, rest));
}

async function sendFile(sender: Sender, path: string, { signal }: Session): Promise<void> {
  const chunks: AsyncIterable<Uint8Array> = createReadStream(path, { highWaterMark: batchBytesMax });
  try {
    for await (const { id, payload, userHeaders, originTimestampMicros } of readRawMessages(chunks, path)) {
      if (signal.aborted) return;
      const headers = userHeaders.length === 0 ? {} : { userHeaders };
      await sender.add({ id, payload, originTimestampMicros, ...headers });
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    throw new Problem(`there is no file ${path}`, { exitCode: 5 });
  }
}

async function tell(output: Output, sender: Sender, place: string, partition: number | undefined): Promise<void> {
  const where = partition === undefined ? place : `${place}, partition ${partition}`;
  await output.say(`Sent ${countText(sender.messagesCount, "message")} to ${where}.`);
}

export const send = serverCommand({
  words: ["message", "send"],
  alias: "s",
  summary: "Send messages: texts, the lines of stdin while they come, or a file",
  details: [
    "Each text is a message; without any each line of stdin is one, sent as it comes. Lines that are empty are left out.",
    "Without -p, -m and --key-header the server takes one partition after the other.",
  ].join("\n"),
  examples: [
    'message send -p 0 -H source:string:cli orders created "hello" "world"',
    "message send -m web-1 logs app < app.log",
    "message send --input-file 0.log orders copy",
  ],
  arguments: { stream, topic, messages: rest(text, "What to send; nothing: the lines of stdin") },
  options: {
    partition: option("-p, --partition-id <ID>", partitionId, "To this partition"),
    key: option("-m, --message-key <KEY>", nonEmpty, "To the partition that the key belongs to"),
    keyHeader: option("--key-header <NAME>", nonEmpty, "The key of each message is the value of this header"),
    headers: repeated("-H, --headers <KEY:KIND:VALUE>", headersOf, "Headers of each message, with commas between them"),
    file: option("--input-file <FILE>", nonEmpty, "The messages of a file that --output-file has written"),
    rate: option("--rate <COUNT>", integer(1, 100_000_000), "At most so many messages a second"),
  },
  lasts: true,
  right: (args) => ({ what: `send messages to ${placeText(args)}`, names: ["send_messages", "manage_topic"] }),
  async run(client, args, output, session) {
    const ways = [args.partition, args.key, args.keyHeader].filter((way) => way !== undefined);
    if (ways.length > 1)
      throw new UsageError("only one of --partition-id, --message-key and --key-header can be given");
    if (args.file !== undefined && args.messages.length > 0) throw new UsageError("either messages or --input-file");
    const headers = args.headers.flat();
    const fields = headers.length === 0 ? {} : { userHeaders: encodedHeaders(headers) };
    const make: Make = (payload) => ({ payload, originTimestampMicros: BigInt(Date.now()) * 1000n, ...fields });
    const partitioning: Partitioning =
      args.partition !== undefined
        ? { kind: "partition", partitionId: args.partition }
        : args.key !== undefined
          ? { kind: "key", key: new TextEncoder().encode(args.key) }
          : { kind: "balanced" };
    const sender = new Sender(client, { ...args, partitioning }, await session.encryption());
    const progress = output.progress("send", () => ({
      texts: [
        `${countText(sender.messagesCount, "message")} (${sizeWords(BigInt(sender.bytesCount))})`,
        `${numberText(sender.rate)}/s`,
      ],
    }));
    try {
      if (args.file !== undefined) await sendFile(sender, args.file, session);
      else if (args.messages.length === 0) await sendLines(sender, make, session);
      else for (const message of args.messages) await sender.add(made(make, new TextEncoder().encode(message)));
      await sender.flush();
    } catch (error) {
      progress.end();
      if (sender.messagesCount > 0) await tell(output, sender, placeText(args), args.partition);
      throw error;
    } finally {
      progress.end();
    }
    await tell(output, sender, placeText(args), args.partition);
  },
});
