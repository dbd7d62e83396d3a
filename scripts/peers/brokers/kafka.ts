// Kafka, by its own performance tools: a topic of one partition, which the first send makes.

import { kafka } from "../servers/kafka.ts";
import { runConsumerPerf, runProducerPerf } from "../tools/kafka-perf.ts";
import { type Contestant, messageSizeBytes } from "./contestant.ts";

/** Parts of the messages of a run that are sent before, and not counted: the tool's compiler is cold at each start. */
const warmupParts = 2;

/** `cache`: where it is installed. */
export function kafkaContestant(cache: string): Contestant {
  return {
    ...{ name: kafka.name, version: kafka.version, durability: kafka.durability },
    tool: "its producer and consumer performance tools; one record a request, one under way; batches of 1 MiB, 5 ms",
    async start(durability) {
      const { port, stop } = await kafka.start(cache, durability);
      let topicsCount = 0;
      const produce = (how: "one" | "batch", messages: number) => {
        const warmupMessages = Math.round(messages / warmupParts);
        const topic = `topic${topicsCount++}`;
        return runProducerPerf(cache, port, how, { topic, messages, warmupMessages, messageSizeBytes });
      };
      return {
        async measure(work, messages) {
          const { messagesPerSecond } = await produce(work === "one" ? "one" : "batch", messages);
          // The tool's p99 counts how long a record waited in its own queue.
          if (work !== "read") return { messagesPerSecond, p99Ms: undefined };
          return runConsumerPerf(cache, port, `topic${topicsCount - 1}`, messages);
        },
        stop,
      };
    },
  };
}
