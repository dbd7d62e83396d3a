// What consumers cost that wait, and how fast one of them gets a message, in one table: consumers of this package to which the server
// pushes, consumers that wait in long polls, and consumers of the Rust crate `iggy`, which poll, if their program is given
// (scripts/peers/rust-consumer: `cargo build --release`). Each kind has a broker to itself and as many consumers, on connections of
// their own. While nothing is sent the broker's own counts say what they ask for. Then, while they wait, one message at a time is sent to
// one more of the kind, and the time from just before `send` to the handler is taken.
//
//   bun scripts/measure-idle-consumers.ts [--consumers 1000] [--seconds 60] [--messages 1000] [--rust PROGRAM] [--rust-interval default]
//
// With its default settings a kind takes about two minutes.

import { parseArgs } from "node:util";
import { type Client, connect, type Format, type Topic } from "../src/client/index.bun.ts";
import { type BenchServer, startBenchServer } from "./bench-server.ts";
import { endChildrenWithScript, remember } from "./children.ts";
import { withoutFeature } from "./standing/without-feature.ts";

const { values } = parseArgs({
  options: {
    consumers: { type: "string", default: "1000" },
    seconds: { type: "string", default: "60" },
    messages: { type: "string", default: "1000" },
    rust: { type: "string" },
    "rust-interval": { type: "string", default: "default" },
  },
});
const [consumersCount, seconds, messagesMax] = [values.consumers, values.seconds, values.messages].map(Number) as [
  number,
  number,
  number,
];
endChildrenWithScript();
const groupsCount = 10;
const settleMs = 8_000;
/** Between two messages: random up to this, so that no interval of polls falls in with it. */
const pauseMsMax = 12;
/** Where messages take long, as many are measured as come in this time. */
const latencyMsMax = 60_000;
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

/** Consumers at work. */
type Running = { stop(): Promise<void> };

type Kind = {
  readonly name: string;
  /** All of them, waiting. */
  startIdle(place: Place, count: number): Promise<Running>;
  /** One whose times are taken: each is added to `micros`. */
  startMeasured(place: Place, topic: string, micros: number[]): Promise<Running>;
};

type Place = { readonly server: BenchServer; readonly client: Client };
const streamName = "idle";
const idleTopic = "orders";

function ownKind(name: string, connectTo: (url: string) => Promise<Client>): Kind {
  const urlOf = ({ server }: Place) => `iggy://iggy:iggy@127.0.0.1:${server.portOf("tcp")}`;
  return {
    name,
    async startIdle(place, count) {
      const client = await connectTo(urlOf(place));
      const topic = client.topic(streamName, idleTopic, times);
      for (let first = 0; first < count; first += connectAtOnce) {
        const some = Array.from({ length: Math.min(connectAtOnce, count - first) }, (_, index) => {
          const number = first + index;
          // Half of them members of groups; of a group with more members than partitions some have none.
          const own = number % 2 === 0 ? { name: `reader-${number}` } : { group: `group-${number % groupsCount}` };
          return topic.consumer({ ...own, start: "new" });
        });
        for (const consumer of some) void consumer.run(() => undefined);
        while (!some.every((consumer, index) => index % 2 === 1 || consumer.partitions.size > 0)) await Bun.sleep(20);
      }
      while ((await place.client.getClients()).length < count) await Bun.sleep(100);
      return { stop: () => client.close() };
    },
    async startMeasured(place, topic, micros) {
      const client = await connectTo(urlOf(place));
      const consumer = client.topic(streamName, topic, times).consumer({ group: "latency", start: "new" });
      void consumer.run(({ value }) => void micros.push(nowMicros() - value));
      while (consumer.partitions.size === 0) await Bun.sleep(20);
      return { stop: () => client.close() };
    },
  };
}

function rustKind(program: string, interval: string): Kind {
  async function start(
    { server }: Place,
    [topic, count, partitions, messages]: readonly [string, number, number, number],
    onMicros: (micros: number) => void,
  ) {
    const address = `127.0.0.1:${server.portOf("tcp")}`;
    const numbers = [count, partitions, messages].map(String);
    const command = [program, address, streamName, topic, ...numbers, interval];
    const child = remember(Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" }));
    const ready = Promise.withResolvers<void>();
    const reading = (async () => {
      let rest = "";
      const decoder = new TextDecoder();
      for await (const chunk of child.stdout) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          if (line === "ready") ready.resolve();
          else onMicros(Number(line));
        }
      }
      ready.reject(new Error(`${program} ended before it was ready`));
    })();
    await ready.promise;
    const stop = async () => {
      await child.stdin.end();
      await child.exited;
      await reading;
    };
    return { stop };
  }
  return {
    name: `crate iggy 0.10.0, ${interval === "default" ? "as it polls by itself" : `polls every ${interval} ms`}`,
    startIdle: (place, count) => start(place, [idleTopic, count, groupsCount, 0], () => undefined),
    startMeasured: (place, topic, micros) => start(place, [topic, 1, 1, messagesMax], (time) => micros.push(time)),
  };
}

/** Commands since the start of the broker: all but pings, and pings. */
async function requestsOf(server: BenchServer): Promise<{ readonly requests: number; readonly pings: number }> {
  const text = await (await fetch(`http://127.0.0.1:${server.portOf("http")}/metrics`)).text();
  const counts = { requests: 0, pings: 0 };
  for (const [, command, count] of text.matchAll(
    /^whippet_command_duration_seconds_count\{command="([^"]+)"\} (\d+)/gm,
  ))
    counts[command === "ping" ? "pings" : "requests"] += Number(count);
  return counts;
}

/** One at a time, each sent when the last one has come. */
async function sendSlowly(topic: Topic<number, number>, micros: readonly number[]): Promise<void> {
  const endMs = performance.now() + latencyMsMax;
  for (let sent = 0; sent < messagesMax && performance.now() < endMs; sent++) {
    await Bun.sleep(Math.random() * pauseMsMax);
    await topic.send({ value: nowMicros(), partitionId: 0 });
    while (micros.length <= sent) await Bun.sleep(1);
  }
}

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

async function measure(kind: Kind): Promise<string> {
  const server = await startBenchServer(false, 1);
  const client = await connect(`iggy://iggy:iggy@127.0.0.1:${server.portOf("tcp")}`);
  const place = { server, client };
  await client.topic(streamName, idleTopic).ensure({ partitionsCount: groupsCount });
  const measured = client.topic(streamName, "latency", times);
  await measured.ensure({ partitionsCount: 1 });
  const idle = await kind.startIdle(place, consumersCount);
  await Bun.sleep(settleMs);
  const [before, cpuBefore] = [await requestsOf(server), server.cpuSeconds()];
  await Bun.sleep(seconds * 1_000);
  const [after, cpuAfter] = [await requestsOf(server), server.cpuSeconds()];
  const micros: number[] = [];
  const one = await kind.startMeasured(place, "latency", micros);
  await sendSlowly(measured, micros);
  await one.stop();
  await idle.stop();
  await client.close();
  await server.stop();
  const sorted = micros.toSorted((a, b) => a - b);
  const times3 = [0.5, 0.99, 1].map((share) => (quantile(sorted, share) / 1_000).toFixed(2));
  const cpu = (((cpuAfter - cpuBefore) / seconds) * 100).toFixed(2);
  const asked = [after.requests - before.requests, after.pings - before.pings];
  return `| ${[kind.name, consumersCount, ...asked, `${cpu} %`, micros.length, ...times3].join(" | ")} |`;
}

const kinds = [
  ownKind("@whippet/client, subscriptions", connect),
  ownKind("@whippet/client, long polls", (url) => connect(url, { transports: [withoutFeature("subscriptions")] })),
  ...(values.rust === undefined ? [] : [rustKind(values.rust, values["rust-interval"])]),
];
console.log(
  `| consumers | count | requests in ${seconds} s | pings | broker's CPU | messages | p50 ms | p99 ms | largest ms |`,
);
console.log("|---|---|---|---|---|---|---|---|---|");
for (const kind of kinds) console.log(await measure(kind));
