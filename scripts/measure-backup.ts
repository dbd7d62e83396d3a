// What a backup costs producers: a broker with data, producers at full speed, and the command again and again beside them, by turns with
// as much time without it. Messages a second with it over those without it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Client } from "../src/client/index.ts";
import { MeasuredBroker } from "./standing/measured-broker.ts";

const usage = `What a backup costs producers.

Usage: node scripts/bun.mjs scripts/measure-backup.ts [options]
  --bytes N       of messages that are there before, about (1000000000)
  --producers N   each with a partition of its own (2)
  --rounds N      backups, and pauses between them (5)
  --seconds N     of each pause (3)
  --copy          sealed segments are copied, not linked
  --no-verify     the doctor does not look at it
`;

const { values } = parseArgs({
  options: {
    bytes: { type: "string", default: "1000000000" },
    producers: { type: "string", default: "2" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    copy: { type: "boolean", default: false },
    "no-verify": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const messagesAtOnce = 1000;
const payload = new Uint8Array(1000);
const messages = Array.from({ length: messagesAtOnce }, () => ({ payload }));
const directory = mkdtempSync(join(tmpdir(), "whippet-backup-"));

let sentCount = 0;
let isOver = false;

async function produce(client: Client, partitionId: number, bytesMax: number): Promise<void> {
  const partitioning = { kind: "partition", partitionId } as const;
  for (let bytes = 0; !isOver && bytes < bytesMax; bytes += messagesAtOnce * payload.byteLength) {
    await client.sendMessages({ stream: "stream", topic: "topic", partitioning, messages });
    sentCount += messagesAtOnce;
  }
}

/** Messages a second while `work` lasts, and how long that was. */
async function rateDuring(work: () => Promise<unknown>): Promise<{ readonly rate: number; readonly seconds: number }> {
  const before = sentCount;
  const startedAtMs = performance.now();
  await work();
  const seconds = (performance.now() - startedAtMs) / 1000;
  return { rate: (sentCount - before) / seconds, seconds };
}

async function backUp(url: string, round: number): Promise<void> {
  const to = join(directory, `backup-${round}`);
  const options = [...(values.copy ? ["--copy"] : []), ...(values["no-verify"] ? ["--no-verify"] : [])];
  const program = resolve(import.meta.dir, "../src/backup/main.ts");
  const child = Bun.spawn([process.execPath, program, "backup", "--url", url, "--to", to, ...options], {
    cwd: directory,
    stdout: "ignore",
    stderr: "pipe",
  });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
  rmSync(to, { recursive: true });
}

async function measure(): Promise<void> {
  const broker = await MeasuredBroker.start({ directory, shards: 1, withQuic: false });
  try {
    const count = Number(values.producers);
    const clients = await Promise.all(Array.from({ length: count }, () => broker.connect()));
    await clients[0]!.createStream("stream");
    await clients[0]!.createTopic("stream", { name: "topic", partitionsCount: count });
    const produceAll = (bytesMax: number) =>
      Promise.all(clients.map((client, partitionId) => produce(client, partitionId, bytesMax)));
    await produceAll(Number(values.bytes) / count);
    const producing = produceAll(Number.POSITIVE_INFINITY);
    const ratios: number[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      const without = await rateDuring(() => Bun.sleep(Number(values.seconds) * 1000));
      const during = await rateDuring(() => backUp(broker.url, round));
      ratios.push(during.rate / without.rate);
      const text = `without ${Math.round(without.rate)} messages/s, with ${Math.round(during.rate)} (${during.seconds.toFixed(1)} s)`;
      process.stdout.write(`round ${round}  ${text}  ratio ${(during.rate / without.rate).toFixed(2)}\n`);
    }
    isOver = true;
    await producing;
    ratios.sort((left, right) => left - right);
    process.stdout.write(`median ratio ${ratios[ratios.length >> 1]!.toFixed(2)}\n`);
    for (const client of clients) client.close();
  } finally {
    await broker.kill();
  }
}

if (values.help) process.stdout.write(usage);
else {
  try {
    await measure();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
