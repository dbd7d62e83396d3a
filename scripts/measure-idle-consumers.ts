// What consumers cost that wait, and how fast one of them gets a message: 1,000 consumers on connections of their own, half of them
// members of groups, on a broker of the script's own. While nothing is sent the broker's own counts say what they ask for. Then one
// message at a time is sent, and the time from just before `send` to the handler is taken; beside that, in the same way, a consumer of
// the Rust crate `iggy`, which polls, if its program is given (scripts/peers/rust-consumer: `cargo build --release`).
//
//   bun scripts/measure-idle-consumers.ts [--consumers 1000] [--seconds 60] [--messages 1000] [--rust PROGRAM]

import { parseArgs } from "node:util";
import { type Client, type Consumer, connect, type Format, type Topic } from "../src/client/index.bun.ts";
import { type BenchServer, startBenchServer } from "./bench-server.ts";

const { values } = parseArgs({
  options: {
    consumers: { type: "string", default: "1000" },
    seconds: { type: "string", default: "60" },
    messages: { type: "string", default: "1000" },
    rust: { type: "string" },
  },
});
const [consumersCount, seconds, messagesCount] = [values.consumers, values.seconds, values.messages].map(Number);
const groupsCount = 10;
const settleMs = 8_000;
/** Between two messages: random up to this, so that no interval of polls falls in with it. */
const pauseMsMax = 12;
const connectAtOnce = 50;

/** Times of sending, µs. */
const times: Format<number, number> = {
  encode(micros) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.round(micros)), true);
    return bytes;
  },
  decode: (payload) => Number(new DataView(payload.buffer, payload.byteOffset).getBigUint64(0, true)),
};

const nowMicros = () => (performance.timeOrigin + performance.now()) * 1_000;

/** How often each command was asked for since the start of the broker. */
async function countsOf(server: BenchServer): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${server.portOf("http")}/metrics`)).text();
  const counts = text.matchAll(/^whippet_command_duration_seconds_count\{command="([^"]+)"\} (\d+)/gm);
  return new Map([...counts].map(([, command = "", count]) => [command, Number(count)]));
}

async function openConsumers(client: Client, topic: Topic<number, number>, count: number): Promise<Consumer<number>[]> {
  const consumers: Consumer<number>[] = [];
  for (let first = 0; first < count; first += connectAtOnce) {
    const some = Array.from({ length: Math.min(connectAtOnce, count - first) }, (_, index) => {
      const number = first + index;
      const own = number % 2 === 0 ? { name: `reader-${number}` } : { group: `group-${number % groupsCount}` };
      return topic.consumer({ ...own, start: "new" });
    });
    for (const consumer of some) void consumer.run(() => undefined);
    consumers.push(...some);
    const isOpen = (consumer: Consumer<number>, index: number) =>
      (first + index) % 2 === 1 || consumer.partitions.size > 0;
    while (!some.every(isOpen)) await Bun.sleep(20);
  }
  while ((await client.getClients()).length < count) await Bun.sleep(100);
  return consumers;
}

async function measureIdle(server: BenchServer, count: number): Promise<void> {
  await Bun.sleep(settleMs);
  const [before, cpuBefore, ownBefore] = [await countsOf(server), server.cpuSeconds(), process.cpuUsage()];
  await Bun.sleep(seconds! * 1_000);
  const [after, cpuAfter, own] = [await countsOf(server), server.cpuSeconds(), process.cpuUsage(ownBefore)];
  console.log(`\n${count} waiting consumers in ${seconds} s, nothing sent:`);
  console.log("| command | requests | for each consumer |\n|---|---|---|");
  for (const [command, total] of after) {
    const requests = total - (before.get(command) ?? 0);
    if (requests > 0) console.log(`| ${command} | ${requests} | ${(requests / count).toFixed(2)} |`);
  }
  const share = (cpuSeconds: number) => `${((cpuSeconds / seconds!) * 100).toFixed(2)} % of a core`;
  console.log(
    `broker: ${share(cpuAfter - cpuBefore)}; this process with all clients: ${share((own.user + own.system) / 1e6)}`,
  );
}

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;

function row(name: string, micros: readonly number[]): void {
  const sorted = micros.toSorted((a, b) => a - b);
  const cells = [0.5, 0.99, 1].map((share) => (quantile(sorted, share) / 1_000).toFixed(2));
  console.log(`| ${name} | ${micros.length} | ${cells.join(" | ")} |`);
}

/** One at a time, each sent when the last one has come. `count` is how many have come. */
async function sendSlowly(topic: Topic<number, number>, count: () => number): Promise<void> {
  for (let sent = 0; sent < messagesCount!; sent++) {
    await Bun.sleep(Math.random() * pauseMsMax);
    await topic.send({ value: nowMicros(), partitionId: 0 });
    while (count() <= sent) await Bun.sleep(1);
  }
}

async function measureWaiting(
  client: Client,
  name: string,
  options: { group: string } | { name: string },
): Promise<void> {
  const topic = await freshTopic(client);
  const micros: number[] = [];
  const consumer = topic.consumer({ ...options, start: "new" });
  const running = consumer.run(({ value }) => void micros.push(nowMicros() - value));
  while (consumer.partitions.size === 0) await Bun.sleep(20);
  await Bun.sleep(500);
  await sendSlowly(topic, () => micros.length);
  row(name, micros);
  await consumer.close();
  await running;
}

async function measureRust(client: Client, server: BenchServer, program: string, interval: string): Promise<void> {
  const topic = await freshTopic(client);
  const address = `127.0.0.1:${server.portOf("tcp")}`;
  const command = [program, address, "idle", `latency-${topicsCount}`, String(messagesCount), interval];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  let output = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) output += decoder.decode(chunk, { stream: true });
  })();
  while (!output.includes("ready")) await Bun.sleep(20);
  const lines = () => output.split("\n").slice(1, -1);
  await sendSlowly(topic, () => lines().length);
  await Promise.all([reading, child.exited]);
  row(
    `crate iggy 0.10.0, polls ${interval === "none" ? "without a pause" : `every ${interval} ms`}`,
    lines().map(Number),
  );
}

let topicsCount = 0;
async function freshTopic(client: Client): Promise<Topic<number, number>> {
  const topic = client.topic("idle", `latency-${++topicsCount}`, times);
  await topic.ensure({ partitionsCount: 1 });
  return topic;
}

const server = await startBenchServer(false, 1);
const client = await connect(`iggy://iggy:iggy@127.0.0.1:${server.portOf("tcp")}`);
const topic = client.topic("idle", "orders", times);
await topic.ensure({ partitionsCount: groupsCount });
const consumers = await openConsumers(client, topic, consumersCount!);
await measureIdle(server, consumersCount!);
console.log(`\nfrom before \`send\` to the handler, ms, while the ${consumersCount} wait:`);
console.log("| consumer | messages | p50 | p99 | largest |\n|---|---|---|---|---|");
await measureWaiting(client, "@whippet/client, a member of a group", { group: "latency" });
await measureWaiting(client, "@whippet/client, by name", { name: "latency" });
if (values.rust !== undefined) {
  for (const interval of ["5", "none"]) await measureRust(client, server, values.rust, interval);
}
await Promise.all(consumers.map((consumer) => consumer.close()));
await client.close();
await server.stop();
