// What a start costs: time until the broker says that it runs, by the clock and of the processors, and resident memory. Every start
// here follows a `kill -9`. Memory is VmRSS of all processes of the broker together: one without QUIC, with it also the sidecar.
//
//   partitions   a broker with so many partitions, each with one segment of a few messages, of which nothing was saved
//   idle         a broker on an empty data directory, ten seconds after its start
//   program      the executable of `npm run build`: a first start on an empty directory, then starts on what it left
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Client } from "../src/client/index.ts";
import { residentBytes } from "../tests/support/process-facts.ts";
import { copyFirstPartition } from "./standing/copied-partitions.ts";
import { MeasuredBroker, type MeasuredBrokerOptions } from "./standing/measured-broker.ts";
import { busiestThreadSeconds, treeOf, treeSeconds } from "./standing/process-tree.ts";

const usage = `What a start costs, in time and memory.

Usage: node scripts/bun.mjs scripts/measure-start.ts partitions|idle|program [options]
  --topics N         topics (1000), in streams of at most 4,096
  --partitions N     partitions of each topic (100)
  --messages N       messages of each partition (10); 0: nothing is ever written
  --rounds N         starts (3)
  --shards N         shards (2)
  --quic             with QUIC, whose process is counted
  --keep DIRECTORY   of \`partitions\`: fill it if it is missing, and leave it; a temporary one if not given
  --program FILE     the executable: dist/whippet for \`program\`, else the source, if not given
  --set KEY=VALUE    of the environment of the broker, any number of times
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    topics: { type: "string", default: "1000" },
    partitions: { type: "string", default: "100" },
    messages: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
    shards: { type: "string", default: "2" },
    quic: { type: "boolean", default: false },
    keep: { type: "string" },
    program: { type: "string" },
    set: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", default: false },
  },
});

const topicsPerStream = 4000;
const clientsCount = 16;
const idleMs = 10_000;
const topicsCount = Number(values.topics);
const partitionsPerTopic = Number(values.partitions);
const messagesPerPartition = Number(values.messages);
const rounds = Number(values.rounds);
const root = resolve(import.meta.dir, "..");

function optionsFor(directory: string, env: Readonly<Record<string, string>> = {}): MeasuredBrokerOptions {
  const set = values.set.map((setting): [string, string] => {
    const at = setting.indexOf("=");
    return [setting.slice(0, at), setting.slice(at + 1)];
  });
  return {
    directory,
    shards: Number(values.shards),
    withQuic: values.quic,
    env: { ...Object.fromEntries(set), ...env },
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** Most memory that a process has had, in bytes. */
function peakBytes(pid: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
}

/** The sum of all processes, and what it consists of. */
function memoryOf(broker: MeasuredBroker): string {
  const pids = treeOf(broker.pid);
  const parts = pids.map((pid) => `${nameOf(pid)} ${megabytes(residentBytes(pid))}`);
  const sum = megabytes(pids.reduce((bytes, pid) => bytes + residentBytes(pid), 0));
  return parts.length === 1 ? sum : `${sum} (${parts.join(", ")})`;
}

function placeOf(topicNumber: number): { readonly stream: string; readonly topic: string } {
  return { stream: `stream-${Math.floor(topicNumber / topicsPerStream)}`, topic: `topic-${topicNumber}` };
}

/** Runs `work` for 0 to `count`, over some clients. */
async function spread(
  broker: MeasuredBroker,
  count: number,
  work: (client: Client, number: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const run = async () => {
    const client = await broker.connect();
    while (next < count) await work(client, next++);
    await client.close();
  };
  await Promise.all(Array.from({ length: clientsCount }, run));
}

/** Makes the partitions; what the first one was sent when the broker is killed, before its saver has come by, is in each. */
async function fill(directory: string): Promise<void> {
  const startedAtMs = performance.now();
  const broker = await MeasuredBroker.start(optionsFor(directory, { IGGY_MESSAGE_SAVER_ENABLED: "false" }));
  const client = await broker.connect();
  for (let number = 0; number * topicsPerStream < topicsCount; number++) await client.createStream(`stream-${number}`);
  await client.close();
  await spread(broker, topicsCount, (each, number) => {
    const { stream, topic } = placeOf(number);
    return each.createTopic(stream, { name: topic, partitionsCount: partitionsPerTopic });
  });
  const payload = new TextEncoder().encode("a message of some length, as they are");
  const messages = Array.from({ length: messagesPerPartition }, () => ({ payload }));
  if (messages.length > 0) {
    const sender = await broker.connect();
    const partitioning = { kind: "partition", partitionId: 0 } as const;
    const first = { kind: "numeric", value: 0 } as const;
    await sender.sendMessages({ stream: first, topic: first, partitioning, messages });
    await sender.close();
  }
  await broker.kill();
  if (messages.length > 0) copyFirstPartition(join(directory, "data"));
  console.log(`filled in ${((performance.now() - startedAtMs) / 1000).toFixed(0)} s`);
}

/** Throws unless the broker counts what was sent. */
async function requireCounts(broker: MeasuredBroker): Promise<void> {
  const client = await broker.connect();
  const { partitionsCount, messagesCount } = await client.getStats();
  await client.close();
  const expected = topicsCount * partitionsPerTopic;
  if (partitionsCount === expected && messagesCount === BigInt(expected * messagesPerPartition)) return;
  throw new Error(`${partitionsCount} partitions and ${messagesCount} messages are not what was made`);
}

async function measurePartitions(directory: string): Promise<void> {
  if (!existsSync(join(directory, "data"))) await fill(directory);
  console.log(`${topicsCount} topics x ${partitionsPerTopic} partitions x ${messagesPerPartition} messages:`);
  for (let round = 0; round < rounds; round++) {
    const broker = await MeasuredBroker.start(optionsFor(directory));
    const cpu = `CPU ${treeSeconds(broker.pid).toFixed(1)} s, busiest thread ${busiestThreadSeconds(broker.pid).toFixed(1)} s`;
    const atStart = memoryOf(broker);
    const peak = megabytes(peakBytes(broker.pid));
    await requireCounts(broker);
    await Bun.sleep(idleMs);
    const seconds = (broker.readyMs / 1000).toFixed(2);
    console.log(`start ${seconds} s (${cpu}), memory then ${atStart} (peak ${peak}), 10 s later ${memoryOf(broker)}`);
    await broker.kill();
  }
}

async function measureIdle(directory: string): Promise<void> {
  const program = values.program === undefined ? {} : { program: resolve(values.program) };
  for (let round = 0; round < rounds; round++) {
    const broker = await MeasuredBroker.start({ ...optionsFor(join(directory, String(round))), ...program });
    await Bun.sleep(idleMs);
    console.log(`start ${broker.readyMs.toFixed(0)} ms, memory ${idleMs / 1000} s later ${memoryOf(broker)}`);
    await broker.kill();
  }
}

/** The QUIC engine is unpacked by an earlier start, on another data directory. */
async function measureProgram(directory: string): Promise<void> {
  const program = resolve(values.program ?? join(root, "dist/whippet"));
  const unpackedBy = join(directory, "unpacking");
  const unpacking = await MeasuredBroker.start({ ...optionsFor(unpackedBy), program });
  console.log(`the very first start: ${unpacking.readyMs.toFixed(0)} ms`);
  await unpacking.kill();
  for (let round = 0; round < rounds; round++) {
    const own = join(directory, String(round));
    if (existsSync(join(unpackedBy, "home"))) cpSync(join(unpackedBy, "home"), join(own, "home"), { recursive: true });
    const times: string[] = [];
    for (let start = 0; start < 2; start++) {
      const broker = await MeasuredBroker.start({ ...optionsFor(own), program });
      const cpu = treeSeconds(broker.pid) * 1000;
      times.push(`${broker.readyMs.toFixed(0)} ms (CPU ${cpu.toFixed(0)} ms)`);
      await broker.kill();
    }
    console.log(`on an empty directory ${times[0]}, again ${times[1]}`);
  }
}

const measures = { partitions: measurePartitions, idle: measureIdle, program: measureProgram } as const;
const [what] = positionals;
if (values.help || what === undefined || !Object.hasOwn(measures, what)) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
const temporary = values.keep === undefined ? mkdtempSync(join(tmpdir(), "whippet-start-")) : undefined;
try {
  await measures[what as keyof typeof measures](resolve(temporary ?? values.keep ?? "."));
} finally {
  if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
}
