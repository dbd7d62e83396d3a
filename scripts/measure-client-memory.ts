// Whether the memory of a client stays where it is: a producer, a member of a group that handles, one that repeats what fails, and a
// reader work for ten minutes, and the process collects and counts what it holds. Fails where the second half holds more than the first.
//
//   bun scripts/measure-client-memory.ts [--minutes 10] [--rate 2000]        rate: messages a second

import { parseArgs } from "node:util";
import { connect, json } from "../src/client/index.bun.ts";
import { startBenchServer } from "./bench-server.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, rate: { type: "string", default: "2000" } },
});
const durationMs = Number(values.minutes) * 60_000;
const perTick = Number(values.rate) / 100;
const samplesCount = 40;
/** The first part warms up. */
const warmUpShare = 0.1;
/** What the second half may hold more than the first: noise of the runtime. */
const growthBytesMax = 4 * 1024 * 1024;

const server = await startBenchServer(false, 1);
const client = await connect(`iggy://iggy:iggy@127.0.0.1:${server.portOf("tcp")}`);
const topic = client.topic("memory", "orders", json<{ number: number; text: string }>());
await topic.ensure({ partitionsCount: 4 });
const producer = topic.producer();
const worked = { sent: 0, handled: 0, repeated: 0, read: 0 };
const isOver = new AbortController();

const billing = topic.consumer({ group: "billing" });
const shipping = topic.consumer({ group: "shipping", onInvalid: "skip" });
const reader = topic.reader({ from: "new" });
const loops = [
  (async () => {
    for await (const _ of billing) worked.handled++;
  })(),
  shipping.run(
    ({ value }) => {
      if (value.number % 1_000 === 0 && worked.repeated++ % 2 === 0) throw new Error("again");
    },
    { concurrency: 8, orderBy: ({ value }) => String(value.number % 100), onError: () => "repeat" },
  ),
  (async () => {
    for await (const { headers } of reader) if (headers.get("n") !== undefined) worked.read++;
  })(),
];
const sending = (async () => {
  const text = "x".repeat(200);
  while (!isOver.signal.aborted) {
    for (let index = 0; index < perTick; index++) {
      await producer.ready;
      const number = worked.sent++;
      producer
        .send({ value: { number, text }, key: `order ${number % 1_000}`, headers: { n: number } })
        .catch((error) => {
          console.error(error);
          process.exit(1);
        });
    }
    await Bun.sleep(10);
  }
  await producer.flush();
})();

interface Sample {
  readonly heapBytes: number;
  readonly residentBytes: number;
}
const samples: Sample[] = [];
const startedMs = performance.now();
for (let index = 0; index < samplesCount; index++) {
  const dueMs = startedMs + (durationMs * (index + 1)) / samplesCount;
  await Bun.sleep(Math.max(0, dueMs - performance.now()));
  Bun.gc(true);
  const { heapUsed, rss, external, arrayBuffers } = process.memoryUsage();
  samples.push({ heapBytes: heapUsed + external + arrayBuffers, residentBytes: rss });
  if (index % 4 === 3) {
    const mib = (bytes: number) => (bytes / 1024 ** 2).toFixed(1);
    const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1);
    console.log(
      `${minutes} min: ${mib(heapUsed)} MiB of objects, ${mib(external)} beside them, ${mib(rss)} resident; ${JSON.stringify(worked)}`,
    );
  }
}
isOver.abort();
await sending;
await Promise.all([billing.close(), shipping.close(), reader.close(), ...loops]);
await client.close();
await server.stop();

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const steady = samples.slice(Math.ceil(samplesCount * warmUpShare));
const halves = [steady.slice(0, steady.length / 2), steady.slice(steady.length / 2)];
const [first, second] = halves.map((half) => median(half.map(({ heapBytes }) => heapBytes)));
const grownBytes = second! - first!;
console.log(`medians of the two halves: ${first} and ${second} bytes, ${grownBytes} more`);
if (grownBytes > growthBytesMax) {
  console.error(`the client grows: ${growthBytesMax} bytes are allowed`);
  process.exit(1);
}
