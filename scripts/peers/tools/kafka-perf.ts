// Kafka's own bench tools, `kafka-producer-perf-test` and `kafka-consumer-perf-test`: their command lines and what they print.

import { runProgram } from "../programs.ts";
import { kafkaCommand } from "../servers/kafka.ts";

export type KafkaPerfResult = {
  readonly messagesPerSecond: number;
  /** From the send of a record to its answer. Undefined for reads, of which the tool does not say it. */
  readonly p99Ms: number | undefined;
};

/** The last summary of the producer's tool, which is that without the warm-up. Throws where the text has none. */
export function parseProducerPerf(text: string): KafkaPerfResult {
  const line = [...text.matchAll(/^.*records\/sec.*99th.*$/gm)].at(-1)?.[0];
  const rate = /([\d.]+) records\/sec/.exec(line ?? "")?.[1];
  const p99 = /([\d.]+) ms 99th/.exec(line ?? "")?.[1];
  if (rate === undefined || p99 === undefined) {
    throw new Error(`kafka-producer-perf-test printed no summary:\n${text.slice(-2_000)}`);
  }
  return { messagesPerSecond: Number(rate), p99Ms: Number(p99) };
}

/** The consumer's tool prints a line of names and one of values. The time of joining the group is left out, as it says it itself. */
export function parseConsumerPerf(text: string): KafkaPerfResult {
  const lines = text.split("\n").map((line) => line.split(",").map((cell) => cell.trim()));
  const head = lines.findIndex((cells) => cells.includes("fetch.nMsg.sec"));
  const rate = Number(lines[head + 1]?.[lines[head]?.indexOf("fetch.nMsg.sec") ?? -1]);
  if (head < 0 || !Number.isFinite(rate)) {
    throw new Error(`kafka-consumer-perf-test printed no figures:\n${text.slice(-2_000)}`);
  }
  return { messagesPerSecond: rate, p99Ms: undefined };
}

/** What the two ways of sending set; the rest is as a producer of Kafka has it. */
const producerSettings = {
  // One record a request and one request under way: what a producer does that waits for each send.
  one: ["batch.size=0", "linger.ms=0", "max.in.flight.requests.per.connection=1"],
  // Requests of about a thousand records, several under way.
  batch: ["batch.size=1048576", "linger.ms=5", "max.request.size=2097152", "buffer.memory=67108864"],
} as const;

export type KafkaProducerRun = {
  readonly topic: string;
  readonly messages: number;
  readonly warmupMessages: number;
  readonly messageSizeBytes: number;
};

/** Sends to a topic, which is made if it is not there. */
export async function runProducerPerf(
  cache: string,
  port: number,
  how: keyof typeof producerSettings,
  { topic, messages, warmupMessages, messageSizeBytes }: KafkaProducerRun,
): Promise<KafkaPerfResult> {
  const settings = ["acks=all", ...producerSettings[how]];
  const command = kafkaCommand(
    cache,
    "org.apache.kafka.tools.ProducerPerformance",
    ...["--topic", topic, "--throughput", "-1", "--record-size", `${messageSizeBytes}`],
    ...["--num-records", `${messages + warmupMessages}`, "--warmup-records", `${warmupMessages}`],
    ...["--bootstrap-server", `127.0.0.1:${port}`, "--command-property", ...settings],
  );
  return parseProducerPerf(await runProgram(command, { timeoutMs: 120_000 }));
}

/** Reads that many messages from the start of a topic. */
export async function runConsumerPerf(
  cache: string,
  port: number,
  topic: string,
  messages: number,
): Promise<KafkaPerfResult> {
  const command = kafkaCommand(
    cache,
    "org.apache.kafka.tools.ConsumerPerformance",
    ...["--bootstrap-server", `127.0.0.1:${port}`, "--topic", topic, "--num-records", `${messages}`],
  );
  return parseConsumerPerf(await runProgram(command, { timeoutMs: 120_000 }));
}
