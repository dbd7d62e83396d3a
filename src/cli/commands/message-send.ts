// `whippet message send`: the texts of the command line, the lines of stdin while they come, or the messages of a file.

import { createReadStream } from "node:fs";
import { messagePayloadBytesMax } from "../../protocol/limits.ts";
import type { MessageToSend } from "../../protocol/message/send-messages.ts";
import type { Partitioning } from "../../protocol/partitioning.ts";
import { serverCommand } from "../command.ts";
import type { Output } from "../output/output.ts";
import { countText, numberText, sizeWords } from "../output/words.ts";
import { option, repeated, rest } from "../parameters.ts";
import { Problem } from "../problem.ts";
import type { Session } from "../session.ts";
import { encodedHeaders, headersOf } from "../transfer/headers.ts";
import { readRawMessages } from "../transfer/raw.ts";
import { batchBytesMax, Sender } from "../transfer/sender.ts";
import { UsageError } from "../usage-error.ts";
import { integer, nonEmpty, partitionId, text } from "../values.ts";
import { placeText, stream, topic } from "./places.ts";

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
    const target = args.keyHeader === undefined ? partitioning : ({ kind: "header", name: args.keyHeader } as const);
    const sender = new Sender(client, { ...args, target }, await session.encryption());
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
