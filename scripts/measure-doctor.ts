// How fast the doctor looks through a sound data directory: a broker fills one, and the directory is looked at
// several times. From the second time on its bytes are in the page cache.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { loadConfig } from "../src/config/load.ts";
import { examine } from "../src/doctor/examine.ts";
import { MeasuredBroker } from "./standing/measured-broker.ts";

const usage = `How fast the doctor looks through a sound data directory.

Usage: node scripts/bun.mjs scripts/measure-doctor.ts [options]
  --bytes N          of messages, about (1000000000)
  --payload N        bytes of a payload (1000)
  --partitions N     they are spread over (4)
  --rounds N         looks, after the first one, which fills the page cache (5)
  --keep DIRECTORY   a directory that this script has filled before, or is to fill and leave
`;

const { values } = parseArgs({
  options: {
    bytes: { type: "string", default: "1000000000" },
    payload: { type: "string", default: "1000" },
    partitions: { type: "string", default: "4" },
    rounds: { type: "string", default: "5" },
    keep: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const messagesAtOnce = 1000;

async function fill(directory: string): Promise<void> {
  const broker = await MeasuredBroker.start({ directory, shards: 1, withQuic: false });
  const client = await broker.connect();
  const partitionsCount = Number(values.partitions);
  await client.createStream("stream");
  await client.createTopic("stream", { name: "topic", partitionsCount });
  const messages = Array.from({ length: messagesAtOnce }, () => ({ payload: new Uint8Array(Number(values.payload)) }));
  const batchBytes = messagesAtOnce * (Number(values.payload) + 64);
  for (let sent = 0, batch = 0; sent < Number(values.bytes); sent += batchBytes, batch++) {
    const partitioning = { kind: "partition", partitionId: batch % partitionsCount } as const;
    await client.sendMessages({ stream: "stream", topic: "topic", partitioning, messages });
  }
  // Afterwards a kill leaves nothing to be put right.
  for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
    await client.flushUnsavedBuffer("stream", "topic", partitionId, true);
  }
  client.close();
  await broker.kill();
}

async function look(dataPath: string): Promise<void> {
  const { config } = loadConfig({
    environment: { IGGY_CONFIG_PATH: "/dev/null", IGGY_SYSTEM_PATH: dataPath },
    workingDirectory: dataPath,
  });
  for (let round = 0; round <= Number(values.rounds); round++) {
    const startedAtMs = performance.now();
    const { findings, extent } = await examine({ config, isLive: false });
    const seconds = (performance.now() - startedAtMs) / 1000;
    if (findings.length > 0) throw new Error(`the directory is not sound: ${JSON.stringify(findings)}`);
    const speed = extent.sizeBytes / seconds / 1e9;
    process.stdout.write(
      `look ${round}  ${(extent.sizeBytes / 1e9).toFixed(2)} GB in ${seconds.toFixed(2)} s  ${speed.toFixed(2)} GB/s\n`,
    );
  }
}

if (values.help) process.stdout.write(usage);
else {
  const directory = resolve(values.keep ?? mkdtempSync(join(tmpdir(), "whippet-doctor-")));
  const dataPath = join(directory, "data");
  if (!(await Bun.file(join(dataPath, "state/metadata.snapshot")).exists())) await fill(directory);
  try {
    await look(dataPath);
  } finally {
    if (values.keep === undefined) rmSync(directory, { recursive: true, force: true });
  }
}
