// NATS JetStream, by `nats bench`: a stream of one replica in a file.

import { nats } from "../servers/nats.ts";
import { runNatsBench } from "../tools/nats-bench.ts";
import { type BrokerWork, batchMessages, type Contestant, messageSizeBytes } from "./contestant.ts";

/** What a message takes in the file of a stream, and more: the room that the tool gives a stream by itself is 1 GB. */
const storedBytes = messageSizeBytes + 200;
/** Answers that the producer of batches does not wait for. */
const outstandingAnswers = 4;

/** `cache`: where it is installed. */
export function natsContestant(cache: string): Contestant {
  return {
    ...{ name: nats.name, version: nats.version, durability: nats.durability },
    tool: `nats bench js pub sync, pub fast (batches of 1,000, ${outstandingAnswers} answers outstanding; at sync pub atomic, which is faster there), ordered`,
    async start(durability) {
      const { port, stop } = await nats.start(cache, durability);
      let streamsCount = 0;
      const publish = (how: string, messages: number, ...more: string[]) => {
        const stream = `stream${streamsCount++}`;
        const place = ["pub", how, stream, "--stream", stream, "--create", "--storage", "file", "--replicas", "1"];
        const size = [
          "--maxbytes",
          `${messages * storedBytes}B`,
          "--size",
          `${messageSizeBytes}`,
          "--msgs",
          `${messages}`,
        ];
        return runNatsBench(cache, port, [...place, ...size, ...more]);
      };
      // The faster kind of batches at each level: where every write is synced, an atomic batch is synced once.
      const outstanding = ["--max-outstanding-acks", `${outstandingAnswers}`];
      const how = durability === "sync" ? "atomic" : "fast";
      const publishBatches = (messages: number) =>
        publish(how, messages, "--batch", `${batchMessages}`, ...(how === "fast" ? outstanding : []));
      const works: Readonly<Record<BrokerWork, (messages: number) => ReturnType<typeof runNatsBench>>> = {
        one: (messages) => publish("sync", messages),
        batch: publishBatches,
        async read(messages) {
          await publishBatches(messages);
          const stream = `stream${streamsCount - 1}`;
          const what = ["--stream", stream, "--msgs", `${messages}`, "--batch", `${batchMessages}`];
          return runNatsBench(cache, port, ["ordered", ...what]);
        },
      };
      return {
        async measure(work, messages) {
          const { messagesPerSecond, p99Ms } = await works[work](messages);
          return { messagesPerSecond, p99Ms: work === "one" ? p99Ms : undefined };
        },
        stop,
      };
    },
  };
}
