// What opening costs when a broker has very many partitions: `node scripts/bun.mjs tests/storage/open.bench.ts [count]`. Files are made below
// the temporary directory and removed afterwards; the page cache is warm, as it is for small files read one after the other.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realDisk } from "../../src/platform/real-disk.ts";
import type { Partition } from "../../src/storage/index.ts";
import { appendNow, makeHarness } from "./harness.ts";

const count = Number(process.argv[2] ?? 40_000);
const root = mkdtempSync(join(tmpdir(), "storage-open-"));
const directoryOf = (kind: string, id: number) =>
  `${root}/${kind}/streams/0/topics/${id >> 10}/partitions/${id & 1023}`;

try {
  const harness = makeHarness(realDisk);
  const partition = harness.open(directoryOf("template", 0));
  await appendNow(harness, partition, [100, 100, 100]);
  await partition.close();
  const files = readdirSync(directoryOf("template", 0)).map((name) => ({
    name,
    bytes: readFileSync(join(directoryOf("template", 0), name)),
  }));
  for (let id = 0; id < count; id++) {
    const directory = directoryOf("there", id);
    mkdirSync(directory, { recursive: true });
    for (const { name, bytes } of files) writeFileSync(join(directory, name), bytes);
  }
  measure("not there yet", "missing");
  measure("three messages", "there");
} finally {
  rmSync(root, { recursive: true, force: true });
}

function measure(name: string, kind: string): void {
  const harness = makeHarness(realDisk);
  const partitions: Partition[] = [];
  for (let id = 0; id < Math.min(count, 500); id++) harness.open(directoryOf(kind, id)); // warm-up
  Bun.gc(true);
  const before = process.memoryUsage();
  const start = performance.now();
  for (let id = 0; id < count; id++) partitions.push(harness.open(directoryOf(kind, id)));
  const elapsedMs = performance.now() - start;
  Bun.gc(true);
  const after = process.memoryUsage();
  const each = (bytes: number) => `${(bytes / count / 1024).toFixed(2)} KiB`;
  process.stdout.write(
    `${name}: ${count} in ${elapsedMs.toFixed(0)} ms, ${((elapsedMs * 1000) / count).toFixed(1)} us each; ` +
      `heap ${each(after.heapUsed - before.heapUsed)} each, resident ${each(after.rss - before.rss)} each ` +
      `(${((after.rss - before.rss) / 1e6).toFixed(0)} MB, ${partitions.length} open)\n`,
  );
}
