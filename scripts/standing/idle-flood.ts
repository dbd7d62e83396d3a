// Strangers against a broker that may open few files: for each transport, thousands of connections that never log in, and
// some that guess passwords, while one producer at level `sync` works. The producer may be slowed no more than twice as much as
// by the same strangers at a bare listener beside the broker; the broker's memory may grow by 64 MB; a minute later all is as it
// was. One row for each transport, then what failed.
//
// Memory is that of the broker and its sidecar together. It grows from the most that the same process had in a quiet state as
// long as the flood, while the strangers were at the bare listener: the producer was at work, a few clients had come over
// the transport, and one password had been checked. What these take (the sidecar's code for a first client, 19 MB for any
// password) is no stranger's. What it was before they came is printed beside it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findSidecarProgram } from "../../src/transport/quic/sidecar-program.ts";
import { TestServer, type Transport } from "../../tests/support/server.ts";
import { linesOf } from "../../tests/transport/lines.ts";
import { settingsOf } from "../durability/settings.ts";
import { treeBytes, treeDescriptors, treeSeconds } from "./process-tree.ts";
import { Producer } from "./producer.ts";

const usage =
  "node scripts/bun.mjs scripts/standing/idle-flood.ts [--transports tcp,websocket,http,quic] [--count 10000] [--guessers 60] [--rounds 1] [--descriptors 4096] [--shards 2] [--set KEY=VALUE]";
const { values } = parseArgs({
  options: {
    transports: { type: "string", default: "tcp,websocket,http,quic" },
    count: { type: "string", default: "10000" },
    guessers: { type: "string", default: "60" },
    rounds: { type: "string", default: "1" },
    descriptors: { type: "string", default: "4096" },
    shards: { type: "string", default: "2" },
    set: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const perSecond = { tcp: 500, websocket: 500, http: 500, quic: 50 } as const;
const quietMs = 15_000;
const settleMs = 3000;
/** After the flood, until everything has to be as before. */
const recoveryMs = 60_000;
const sampleMs = 250;
/** While the password of the quiet state is checked: its memory is there for as long as the hash takes, some 20 ms. */
const closeSampleMs = 5;
const mebibyte = 1024 * 1024;
const limits = { slowdown: 2, grownBytes: 64 * mebibyte, descriptors: 32 } as const;

interface Row {
  readonly transport: Transport;
  readonly strangers: string;
  readonly quietMs: number;
  readonly bareMs: number;
  readonly floodMs: number;
  readonly afterMs: number;
  readonly grownBytes: number;
  readonly keptBytes: number;
  /** The most in each part of the run. */
  readonly bytes: Readonly<Record<"withoutVisitors" | "quiet" | "flood" | "after", number>>;
  readonly keptDescriptors: number;
  readonly keptClients: number;
  readonly cpuPercent: number;
  readonly failures: readonly string[];
}

type Strangers = Readonly<Record<"opened" | "failed" | "answered" | "closed" | "held" | "guesses", number>>;

const file = (name: string) => join(import.meta.dir, name);
const denoCommand = [
  findSidecarProgram().runtimePath,
  "run",
  "--quiet",
  "--unstable-net",
  "--allow-net",
  "--allow-read",
];
const deno = [...denoCommand, "--no-config", "--no-lock", "--no-remote"];
const directory = mkdtempSync(join(tmpdir(), "whippet-standing-"));

/** A process of this folder, and its first line of output. It ends with its stdin. */
function start(command: readonly string[]) {
  const child = Bun.spawn([...command], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    env: { ...process.env, DENO_DIR: join(directory, "deno"), NO_COLOR: "1" },
  });
  const firstLine = async <Name extends string>(): Promise<Readonly<Record<Name, number>>> => {
    for await (const line of linesOf(child.stdout)) return JSON.parse(line);
    throw new Error(`${command.join(" ")} ended without an answer`);
  };
  return { child, firstLine };
}

async function end({ child }: ReturnType<typeof start>): Promise<void> {
  child.stdin.end();
  const inTime = await Promise.race([child.exited.then(() => true), Bun.sleep(10_000).then(() => false)]);
  if (!inTime) child.kill("SIGKILL");
  await child.exited;
}

interface Numbers {
  readonly count: string;
  readonly guessers: string;
}

const visitors: Numbers = { count: "3", guessers: "0" };

/** Runs the strangers of one transport until the last connection is made. */
async function flood(
  transport: Transport,
  port: number,
  guessPort: number,
  certificate: string,
  { count, guessers: guessersCount }: Numbers = values,
): Promise<Strangers> {
  const bun = [process.execPath, file("generator.ts"), "--guess-port", String(guessPort), "--guessers", guessersCount];
  const tcp = ["--transport", transport, "--port", String(port), "--count", count];
  const rate = String(perSecond[transport]);
  const isQuic = transport === "quic";
  const guessers = isQuic ? [start(bun)] : [];
  const strangers = start(
    isQuic
      ? [...deno, file("quic-generator.ts"), String(port), certificate, count, rate]
      : [...bun, ...tcp, "--per-second", rate],
  );
  try {
    return await strangers.firstLine();
  } finally {
    await Promise.all([...guessers, strangers].map(end));
  }
}

/**
 * Who comes in a quiet time: a few clients, and somebody who mistypes a password. `sample` is called often meanwhile: in the flood
 * there are so many hashes that some sample meets one, and here is one.
 */
async function visit(server: TestServer, transport: Transport, certificate: string, sample: () => void): Promise<void> {
  await flood(transport, server.portOf(transport), server.port, certificate, visitors);
  const sampler = setInterval(sample, closeSampleMs);
  const isIn = await server.connect({ password: "mistyped" }).then(
    () => true,
    () => false,
  );
  clearInterval(sampler);
  if (isIn) throw new Error("a wrong password was right");
}

async function measure(server: TestServer, producer: Producer, transport: Transport): Promise<Row> {
  const certificates = join(server.dataPath, "certificates");
  const [certificate, key] = [join(certificates, "cert.pem"), join(certificates, "key.pem")];
  const clientsCount = async () => (await producer.client.getClients()).length;
  const clientsBefore = await clientsCount();
  let peakBytes = 0;
  const sample = () => {
    if (!server.hasEnded) peakBytes = Math.max(peakBytes, treeBytes(server.pid));
  };
  const sampler = setInterval(sample, sampleMs);
  try {
    const quiet = producer.latencies();
    await Bun.sleep(quietMs);
    const quietP99 = quiet.p99();
    const descriptorsBefore = treeDescriptors(server.pid);
    const bare = start([process.execPath, file("bare-listener.ts")]);
    const bareQuic =
      transport === "quic" ? start([...deno, file("bare-quic-listener.ts"), certificate, key]) : undefined;
    const ports = { ...(await bare.firstLine<string>()), ...(await bareQuic?.firstLine<string>()) };
    const beside = producer.latencies(true);
    const under = producer.latencies(true);
    let strangers: Strangers | undefined;
    let floodSeconds = 0;
    let cpuSeconds = 0;
    let withoutVisitors = 0;
    let quietPeak = 0;
    let floodPeak = 0;
    for (let round = 0; round < Number(values.rounds); round++) {
      peakBytes = 0;
      beside.resume();
      await flood(transport, ports[transport]!, ports.tcp!, certificate);
      beside.pause();
      withoutVisitors = Math.max(withoutVisitors, peakBytes);
      await visit(server, transport, certificate, sample);
      await Bun.sleep(settleMs);
      quietPeak = Math.max(quietPeak, peakBytes);
      peakBytes = 0;
      under.resume();
      const [startMs, startSeconds] = [performance.now(), treeSeconds(server.pid)];
      strangers = await flood(transport, server.portOf(transport), server.port, certificate);
      under.pause();
      cpuSeconds += treeSeconds(server.pid) - startSeconds;
      floodSeconds += (performance.now() - startMs) / 1000;
      await Bun.sleep(settleMs);
      floodPeak = Math.max(floodPeak, peakBytes);
    }
    await Promise.all([bare, ...(bareQuic === undefined ? [] : [bareQuic])].map(({ child }) => child.kill()));
    const bareP99 = beside.p99();
    const floodP99 = under.p99();
    await Bun.sleep(recoveryMs - settleMs - quietMs);
    const after = producer.latencies();
    peakBytes = 0;
    await Bun.sleep(quietMs);
    const afterP99 = after.p99();
    const grownBytes = floodPeak - quietPeak;
    const keptBytes = peakBytes - quietPeak;
    const keptDescriptors = treeDescriptors(server.pid) - descriptorsBefore;
    const keptClients = (await clientsCount()) - clientsBefore;
    const rules: readonly [isBroken: boolean, text: string][] = [
      [server.hasEnded, "the broker has ended"],
      [producer.failures.length > 0, `the producer failed: ${producer.failures.join("; ")}`],
      [floodP99 > limits.slowdown * bareP99, "the producer's p99 is more than twice that beside a bare listener"],
      [grownBytes > limits.grownBytes, "memory has grown by more than 64 MiB"],
      [keptBytes > limits.grownBytes, "memory has not gone back"],
      [afterP99 > limits.slowdown * quietP99, "the producer's p99 has not gone back"],
      [keptDescriptors > limits.descriptors, "descriptors have not gone back"],
      [keptClients !== 0, "clients have not gone"],
      [strangers!.opened + strangers!.failed < Number(values.count) / 2, "the strangers were too slow"],
    ];
    return {
      transport,
      strangers: JSON.stringify(strangers),
      ...{ quietMs: quietP99, bareMs: bareP99, floodMs: floodP99, afterMs: afterP99 },
      ...{ grownBytes, keptBytes, keptDescriptors, keptClients },
      bytes: { withoutVisitors, quiet: quietPeak, flood: floodPeak, after: peakBytes },
      cpuPercent: (100 * cpuSeconds) / floodSeconds,
      failures: rules.flatMap(([isBroken, text]) => (isBroken ? [text] : [])),
    };
  } finally {
    clearInterval(sampler);
  }
}

function memoryText({ bytes }: Row): string {
  const [withoutVisitors, quiet, flooded, after] = [bytes.withoutVisitors, bytes.quiet, bytes.flood, bytes.after].map(
    (each) => (each / mebibyte).toFixed(0),
  );
  return `MiB: quiet ${quiet} (${withoutVisitors} before any visitor), flood ${flooded}, after ${after}`;
}

function rowText(row: Row): string {
  const ms = (value: number) => value.toFixed(1).padStart(8);
  const mib = (bytes: number) => (bytes / mebibyte).toFixed(0).padStart(8);
  const numbers = [
    row.transport.padEnd(10),
    ...[row.quietMs, row.bareMs, row.floodMs, row.afterMs].map(ms),
    (row.floodMs / row.bareMs).toFixed(2).padStart(6),
    mib(row.grownBytes),
    mib(row.keptBytes),
    String(row.keptDescriptors).padStart(6),
    row.cpuPercent.toFixed(0).padStart(6),
    row.failures.length === 0 ? "  passed" : "  FAILED",
  ];
  return numbers.join(" ");
}

const server = await TestServer.start(directory, {
  shards: Number(values.shards),
  launcher: ["sh", "-c", `ulimit -n ${values.descriptors}; exec "$@"`, "sh"],
  env: {
    IGGY_QUIC_ENABLED: "true",
    IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "sync",
    ...settingsOf(values.set),
  },
});
const rows: Row[] = [];
try {
  const producer = await Producer.start(server);
  await Bun.sleep(quietMs);
  for (const transport of values.transports.split(",") as Transport[]) {
    const row = await measure(server, producer, transport);
    rows.push(row);
    console.log(
      `${row.transport}: ${row.strangers} ${memoryText(row)}${row.failures.map((failure) => `\n  ${failure}`).join("")}`,
    );
  }
  await producer.stop();
  await server.stop();
} catch (error) {
  console.log(server.log.slice(-4000));
  throw error;
} finally {
  if (!server.hasEnded) await server.kill();
  rmSync(directory, { recursive: true, force: true });
}
console.log("p99 in ms      quiet     bare    flood    after  ratio  MiB up MiB kept    fds  cpu %");
for (const row of rows) console.log(rowText(row));
process.exit(rows.every(({ failures }) => failures.length === 0) ? 0 : 1);
