// QUIC end to end beside the engine alone, turn about in one run: one producer and one consumer of 1,000 messages of 1,000 bytes a
// request, by the published client (bench-quic/load, built on first use). What the broker adds to the engine is the ratio; another
// checkout can be measured along. Linux only: CPU times are read from /proc.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { linesOf } from "../src/bench/actor-messages.ts";
import { renderRows } from "../src/bench/report.ts";
import { connect } from "../src/client/index.bun.ts";
import { encode } from "../src/protocol/codec.ts";
import { encodeReplyFrame } from "../src/protocol/frame.ts";
import { pollMessagesReplyCodec } from "../src/protocol/message/poll-messages.ts";
import { loadOrCreateCertificate } from "../src/security/certificates.ts";
import { findSidecarProgram } from "../src/transport/quic/sidecar-program.ts";
import { type BenchServer, startBenchServer } from "./bench-server.ts";
import { describedRatios, median } from "./ratios.ts";
import { childrenOf, cpuSecondsOf } from "./standing/process-tree.ts";

const usage = `Measures QUIC and its engine alone, in turns, with the client of the crate iggy 0.10.0.

Usage: npm run bench:quic -- [options]
  --rounds N         rounds; each has every server once with a producer and once with a consumer (12)
  --seconds N        measured part of each (2)
  --before DIRECTORY another checkout to measure along, with its node_modules
  --load PATH        program that was built from scripts/bench-quic/load (built into ~/.cache with cargo when not given)
  --modes A,B        of send, poll (send,poll)
  --messages N       messages of a request (1000)
  --bytes N          payload of a message (1000)
`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "12" },
    seconds: { type: "string", default: "2" },
    before: { type: "string" },
    load: { type: "string" },
    modes: { type: "string", default: "send,poll" },
    messages: { type: "string", default: "1000" },
    bytes: { type: "string", default: "1000" },
    help: { type: "boolean", default: false },
  },
});

const warmupSeconds = 0.5;
/** Messages that consumers go round: more than the processor's cache holds, few enough for the page cache. */
const seededRequests = 100;
const streamName = "bench-quic";
const topicName = "t";
const loadCrate = join(import.meta.dir, "bench-quic/load");

const modes = ["send", "poll"] as const;
type Mode = (typeof modes)[number];

/** A server under load. CPU is looked at by process: `pids` names them. */
interface Side {
  readonly name: string;
  readonly port: number;
  readonly pids: Readonly<Record<string, number>>;
  /** A partition without messages, or with `seededRequests` times as many as a request has. */
  prepare(mode: Mode): Promise<void>;
  stop(): Promise<void>;
}

interface Sample {
  readonly side: string;
  readonly mode: Mode;
  readonly megabytesPerSecond: number;
  /** Of a request in the fastest tenth: what else the machine does matters less. */
  readonly fastMs: number;
  /** By process, the load's own among them. */
  readonly cpuSecondsPerGigabyte: Readonly<Record<string, number>>;
}

const messagesCount = Number(values.messages);
const messageBytes = Number(values.bytes);

/** The load program, built where it outlives the clone. */
function builtLoad(): string {
  const target = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "whippet-bench-quic");
  console.error("the load program is built; the first time that takes minutes");
  const build = ["cargo", "build", "--release", "--locked", "--quiet"];
  const { exitCode } = Bun.spawnSync(
    [...build, "--manifest-path", join(loadCrate, "Cargo.toml"), "--target-dir", target],
    { stdout: "inherit", stderr: "inherit" },
  );
  if (exitCode !== 0) throw new Error("cargo does not build the load program");
  return join(target, "release/load");
}

async function brokerSide(name: string, root: string): Promise<Side> {
  const server: BenchServer = await startBenchServer(false, 1, { root });
  const [sidecar] = childrenOf(server.pid);
  if (sidecar === undefined) throw new Error("the broker has no sidecar");
  const client = await connect(`iggy+tcp://iggy:iggy@127.0.0.1:${server.portOf("tcp")}`);
  await client.createStream(streamName);
  const payload = new Uint8Array(messageBytes).fill(120);
  return {
    name,
    port: server.portOf("quic"),
    pids: { broker: server.pid, sidecar },
    prepare: async (mode) => {
      const topics = await client.getTopics(streamName);
      if (topics.length > 0) await client.deleteTopic(streamName, topicName);
      await client.createTopic(streamName, { name: topicName, partitionsCount: 1 });
      const messages = Array.from({ length: messagesCount }, () => ({ payload }));
      const to = { stream: streamName, topic: topicName, partitioning: { kind: "partition", partitionId: 0 } } as const;
      if (mode === "poll") for (let n = 0; n < seededRequests; n++) await client.sendMessages({ ...to, messages });
    },
    stop: async () => {
      await client.close();
      await server.stop();
    },
  };
}

/** What a broker answers a poll with. */
function pollReply(): Uint8Array {
  const messages = Array.from({ length: messagesCount }, (_, offset) => ({
    ...{ checksum: 0n, id: BigInt(offset + 1), offset: BigInt(offset), timestampMicros: 1n, originTimestampMicros: 1n },
    ...{ reserved: 0n, payload: new Uint8Array(messageBytes).fill(120), userHeaders: new Uint8Array(0) },
  }));
  const polled = { partitionId: 0, currentOffset: BigInt(messagesCount - 1), messages };
  return encodeReplyFrame(encode(pollMessagesReplyCodec, polled));
}

async function engineSide(): Promise<Side> {
  const directory = mkdtempSync(join(tmpdir(), "whippet-bench-quic-"));
  await loadOrCreateCertificate(
    { files: undefined, selfSigned: true },
    { directory, nowMs: Date.now(), onMade: () => {} },
  );
  writeFileSync(join(directory, "reply"), pollReply());
  const { runtimePath } = findSidecarProgram();
  // As the sidecar is run (transport/quic/sidecar-process).
  const flags = ["--unstable-net", "--no-config", "--no-lock", "--no-code-cache"];
  const engineFlags = "--v8-flags=--expose-gc,--max-semi-space-size=1";
  const program = join(import.meta.dir, "bench-quic/engine-alone.ts");
  const command = ["run", "--quiet", ...flags, engineFlags, "--allow-net", "--allow-read", program];
  const files = ["cert.pem", "key.pem", "reply"].map((name) => join(directory, name));
  const child = Bun.spawn([runtimePath, ...command, ...files], {
    stdout: "pipe",
    stderr: "inherit",
    env: { DENO_DIR: join(directory, "cache"), NO_COLOR: "1", MALLOC_ARENA_MAX: "1" },
  });
  const port = Number((await linesOf(child.stdout).next()).value);
  if (!(port > 0)) throw new Error("the engine alone does not start");
  return {
    name: "engine alone",
    port,
    pids: { engine: child.pid },
    prepare: async () => undefined,
    stop: async () => {
      child.kill();
      await child.exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function measured(load: string, side: Side, mode: Mode): Promise<Sample> {
  await side.prepare(mode);
  const seeded = String(seededRequests * messagesCount);
  const times = [String(warmupSeconds), values.seconds, values.messages, values.bytes, seeded];
  const child = Bun.spawn([load, mode, `127.0.0.1:${side.port}`, streamName, topicName, ...times], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = linesOf(child.stdout);
  const cpu = () => Object.entries(side.pids).map(([name, pid]) => [name, cpuSecondsOf(pid)] as const);
  if ((await lines.next()).value !== "begin") throw new Error(`${side.name}: the load does not begin`);
  const before = cpu();
  const [requests, seconds, loadCpuSeconds, fastMs] = String((await lines.next()).value)
    .split(" ")
    .map(Number);
  const after = new Map(cpu());
  await child.exited;
  const megabytes = (requests! * messagesCount * messageBytes) / 1e6;
  const perGigabyte = (cpuSeconds: number) => (cpuSeconds * 1000) / megabytes;
  const spent = before.map(
    ([name, seconds]) => [name, perGigabyte((after.get(name) ?? Number.NaN) - seconds)] as const,
  );
  return {
    ...{ side: side.name, mode, megabytesPerSecond: megabytes / seconds!, fastMs: fastMs! },
    cpuSecondsPerGigabyte: { ...Object.fromEntries(spent), load: perGigabyte(loadCpuSeconds!) },
  };
}

/** Ratios are above 1 where a side is faster than the other one, by throughput and by the fastest tenth of the requests. */
function table(samples: readonly Sample[], sides: readonly Side[]): string[] {
  const others = sides.slice(0, -1).map(({ name }) => name);
  const ratioHeads = others.flatMap((other) => [`MB/s to ${other}`, `fast ms to ${other}`]);
  const rows = [["", "MB/s", "fast ms", "CPU seconds for 1 GB", ...ratioHeads]];
  for (const mode of chosen) {
    for (const { name } of sides) {
      const of = (side: string) => samples.filter((sample) => sample.side === side && sample.mode === mode);
      const own = of(name);
      const cpu = Object.keys(own[0]?.cpuSecondsPerGigabyte ?? {}).map((process) => {
        const all = own.map(({ cpuSecondsPerGigabyte }) => cpuSecondsPerGigabyte[process] ?? Number.NaN);
        return `${process} ${median(all).toFixed(2)}`;
      });
      const ratios = others.flatMap((other) => {
        if (other === name) return ["", ""];
        const theirs = of(other);
        const ratio = (take: (own: Sample, their: Sample) => number) =>
          describedRatios(own.map((sample, round) => take(sample, theirs[round]!)));
        return [
          ratio((mine, their) => mine.megabytesPerSecond / their.megabytesPerSecond),
          ratio((mine, their) => their.fastMs / mine.fastMs),
        ];
      });
      const speed = median(own.map(({ megabytesPerSecond }) => megabytesPerSecond)).toFixed(0);
      const fast = median(own.map(({ fastMs }) => fastMs)).toFixed(2);
      rows.push([`${mode}, ${name}`, speed, fast, cpu.join(", "), ...ratios]);
    }
  }
  return renderRows(rows);
}

if (values.help) {
  console.log(usage);
  process.exit(0);
}
const load = values.load ?? builtLoad();
const chosen = modes.filter((mode) => values.modes.split(",").includes(mode));
const sides: Side[] = [];
try {
  sides.push(await engineSide());
  if (values.before !== undefined) sides.push(await brokerSide("before", resolve(values.before)));
  sides.push(await brokerSide("broker", resolve(import.meta.dir, "..")));
  const samples: Sample[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const mode of chosen) {
      // Whoever is first in one round is last in the next.
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        const sample = await measured(load, side, mode);
        samples.push(sample);
        console.error(`${round + 1} ${mode} ${side.name}: ${sample.megabytesPerSecond.toFixed(0)} MB/s`);
      }
    }
  }
  console.log(table(samples, sides).join("\n"));
} finally {
  for (const side of sides) await side.stop();
}
process.exit(0);
