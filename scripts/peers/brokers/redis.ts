// Redis Streams, by `redis-benchmark`: XADD of one entry, one at a time or a thousand in a pipeline, XREAD of a thousand.

import { runProgram } from "../programs.ts";
import { redis, redisEnvironment, redisProgram } from "../servers/redis.ts";
import { runRedisBenchmark } from "../tools/redis-benchmark.ts";
import { batchMessages, type Contestant, messageSizeBytes } from "./contestant.ts";

/** It holds all entries in memory. */
const messagesMax = 2_000_000;

async function removeStream(cache: string, port: number): Promise<void> {
  const program = [redisProgram(cache, "redis-cli"), "-h", "127.0.0.1", "-p", `${port}`, "DEL", "stream"];
  await runProgram(program, { env: redisEnvironment(cache) });
}

/** `cache`: where it is installed. */
export function redisContestant(cache: string): Contestant {
  return {
    ...{ name: redis.name, version: redis.version, durability: redis.durability, messagesMax },
    tool: "redis-benchmark: XADD; XADD 1,000 in a pipeline; XREAD COUNT 1000, each time the same 1,000 entries, for it cannot go on",
    async start(durability) {
      const { port, stop } = await redis.start(cache, durability);
      const add = ["XADD", "stream", "*", "v", "x".repeat(messageSizeBytes)];
      const bench = (requests: number, pipeline: number, command: readonly string[]) =>
        runRedisBenchmark(cache, port, requests, pipeline, command);
      return {
        async measure(work, messages) {
          await removeStream(cache, port);
          if (work === "one") {
            const { requestsPerSecond, p99Ms } = await bench(messages, 1, add);
            return { messagesPerSecond: requestsPerSecond, p99Ms };
          }
          const batched = await bench(work === "read" ? batchMessages : messages, batchMessages, add);
          if (work === "batch") return { messagesPerSecond: batched.requestsPerSecond, p99Ms: undefined };
          const read = ["XREAD", "COUNT", `${batchMessages}`, "STREAMS", "stream", "0"];
          const { requestsPerSecond } = await bench(Math.max(1, Math.round(messages / batchMessages)), 1, read);
          return { messagesPerSecond: requestsPerSecond * batchMessages, p99Ms: undefined };
        },
        stop,
      };
    },
  };
}
