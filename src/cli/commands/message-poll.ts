// `whippet message poll`

import { appendFile } from "node:fs/promises";
import type { Encryption } from "../../client/index.bun.ts";
import { numericId } from "../../protocol/identifier.ts";
import type { PolledMessage } from "../../protocol/message/poll-messages.ts";
import { messageLine, uuidText } from "../../protocol/message-line.ts";
import type { PollingStrategy } from "../../protocol/polling-strategy.ts";
import { serverCommand } from "../command.ts";
import type { Output } from "../output/output.ts";
import type { Table } from "../output/table.ts";
import { countText, exactTimeText, numberText, sizeWords } from "../output/words.ts";
import { flag, option, optionOr } from "../parameters.ts";
import { problemOfWriting } from "../transfer/files.ts";
import { headersText } from "../transfer/headers.ts";
import { payloadText } from "../transfer/payload.ts";
import { rawMessage } from "../transfer/raw.ts";
import { UsageError } from "../usage-error.ts";
import { identifier, integer, nonEmpty, u64 } from "../values.ts";
import { partition, partitionText, pollTopic, stream, topic } from "./places.ts";

interface Start {
  readonly offset: bigint | undefined;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly isNext: boolean;
}

function strategyOf({ offset, isFirst, isLast, isNext }: Start): PollingStrategy {
  const chosen: PollingStrategy[] = [
    ...(offset === undefined ? [] : [{ kind: "offset", value: offset } as const]),
    ...(isFirst ? [{ kind: "first", value: 0n } as const] : []),
    ...(isLast ? [{ kind: "last", value: 0n } as const] : []),
    ...(isNext ? [{ kind: "next", value: 0n } as const] : []),
  ];
  const [strategy] = chosen;
  if (strategy === undefined || chosen.length > 1)
    throw new UsageError("one of --offset, --first, --last and --next is needed");
  return strategy;
}

/** Payload and headers as the producer wrote them. */
export async function decrypted(message: PolledMessage, encryption: Encryption | undefined): Promise<PolledMessage> {
  if (encryption === undefined) return message;
  const { payload, userHeaders } = message;
  return {
    ...message,
    payload: await encryption.decrypt(payload),
    userHeaders: userHeaders.length === 0 ? userHeaders : await encryption.decrypt(userHeaders),
  };
}

function tableOf(messages: readonly PolledMessage[], hasHeaders: boolean): Table {
  return {
    columns: [
      { head: "OFFSET", isRight: true },
      { head: "TIME" },
      { head: "ID" },
      { head: "BYTES", isRight: true },
      ...(hasHeaders ? [{ head: "HEADERS" }] : []),
      { head: "PAYLOAD" },
    ],
    rows: messages.map((message) => [
      numberText(message.offset),
      exactTimeText(message.timestampMicros),
      uuidText(message.id),
      numberText(message.payload.length),
      ...(hasHeaders ? [headersText(message.userHeaders)] : []),
      payloadText(message.payload, "text"),
    ]),
  };
}

async function show(output: Output, partitionId: number, messages: readonly PolledMessage[], hasHeaders: boolean) {
  const lines = messages.map((message) => messageLine(partitionId, message).trimEnd());
  if (output.format === "json") return output.line(lines.length === 0 ? "[]" : `[\n${lines.join(",\n")}\n]`);
  if (output.format === "ndjson") {
    for (const line of lines) await output.line(line);
    return;
  }
  const document = lines.map((line): Record<string, string> => JSON.parse(line));
  await output.show({ document, shown: [tableOf(messages, hasHeaders)] });
}

export const poll = serverCommand({
  words: ["message", "poll"],
  alias: "p",
  summary: "Read messages of a partition",
  details:
    "For more than a look there are tail, and export for whole topics. --output-file appends the bytes of a segment.",
  examples: [
    "message poll --first -m 10 orders created 0",
    "message poll --last -m 5 -s orders created 0",
    "message poll --offset 400000 orders created 0 --format ndjson",
  ],
  arguments: { stream, topic, partition },
  options: {
    count: optionOr("-m, --message-count <COUNT>", integer(1, 1_000_000), 1, "How many (1)"),
    isCommitted: flag("-a, --auto-commit", "Store the offset for the consumer"),
    offset: option("-o, --offset <OFFSET>", u64, "From this offset on"),
    isFirst: flag("-f, --first", "From the first message on"),
    isLast: flag("-l, --last", "The last messages"),
    isNext: flag("-n, --next", "Behind the stored offset of the consumer"),
    consumer: optionOr(
      "-c, --consumer <CONSUMER>",
      identifier,
      numericId(0),
      "Name or number of a single consumer (0)",
    ),
    hasHeaders: flag("-s, --show-headers", "With the headers"),
    file: option("--output-file <FILE>", nonEmpty, "Append the messages to FILE as bytes, instead of showing them"),
  },
  right: pollTopic("poll"),
  async run(client, args, output, session) {
    const { messages, partitionId } = await client.pollMessages({
      stream: args.stream,
      topic: args.topic,
      partitionId: args.partition,
      consumer: { kind: "consumer", id: args.consumer },
      strategy: strategyOf(args),
      count: args.count,
      autoCommit: args.isCommitted,
    });
    if (args.file !== undefined) {
      const bytes = Buffer.concat(messages.map(rawMessage));
      await appendFile(args.file, bytes).catch((error: unknown) => {
        throw problemOfWriting(error, args.file ?? "");
      });
      const size = sizeWords(BigInt(bytes.length));
      return output.say(
        `Wrote ${countText(messages.length, "message")} of ${partitionText(args)} to ${args.file} (${size}).`,
      );
    }
    const encryption = await session.encryption();
    const clear = await Promise.all(messages.map((message) => decrypted(message, encryption)));
    await show(output, partitionId, clear, args.hasHeaders);
  },
});
