// Random histories of one partition against a list of messages: whatever is appended, flushed, closed, killed or purged in
// whatever order, reads return exactly what the model holds.

import { test } from "bun:test";
import fc from "fast-check";
import type { Acknowledge, StorageOptions } from "../../src/storage/index.ts";
import { type Harness, makeBatch, makeHarness, poll } from "./harness.ts";
import { MemoryDisk } from "./memory-disk.ts";

type Step =
  | { kind: "append"; sizes: number[] }
  | { kind: "endTurn" }
  | { kind: "flush"; fsync: boolean }
  | { kind: "save" }
  | { kind: "close" }
  | { kind: "kill" }
  | { kind: "purge" }
  | { kind: "read"; offset: number; count: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("append" as const), sizes: payloadSizes() }) },
  { weight: 4, arbitrary: fc.constant<Step>({ kind: "endTurn" }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("flush" as const), fsync: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "save" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "close" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "kill" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "purge" }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("read" as const), offset: fc.nat(80), count: fc.nat(40) }) },
);

function payloadSizes(): fc.Arbitrary<number[]> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.array(fc.nat(120), { minLength: 1, maxLength: 8 }) },
    { weight: 1, arbitrary: fc.array(fc.constant(20_000), { minLength: 2, maxLength: 2 }) },
  );
}

/** Payload bytes of the messages in the order of their offsets; all histories settle their appends before they look. */
class Model {
  payloads: { size: number; mark: number }[] = [];
  #number = 0;

  append(sizes: readonly number[]): number {
    const first = this.#number;
    for (const size of sizes) this.payloads.push({ size, mark: this.#number++ & 0xff });
    return first;
  }
}

async function run(options: Partial<StorageOptions>, steps: readonly Step[]): Promise<void> {
  const disk = new MemoryDisk();
  const model = new Model();
  let harness: Harness = makeHarness(disk, options, 8192);
  let partition = harness.open();
  let waiting: Promise<void>[] = [];
  const settle = async () => {
    harness.endTurn();
    await Promise.all(waiting);
    waiting = [];
  };
  const reopen = () => {
    harness = makeHarness(disk, options, 8192);
    partition = harness.open();
  };
  const check = async (offset: number, count: number) => {
    await settle();
    const seen = await poll(partition, { kind: "offset", offset }, count);
    const expected = model.payloads.slice(offset, offset + count);
    if (seen.messages.length !== expected.length) throw new Error(`${seen.messages.length} not ${expected.length}`);
    for (const [index, message] of seen.messages.entries()) {
      const { size, mark } = expected[index]!;
      const isRight = message.payload.byteLength === size && message.payload.every((byte) => byte === mark);
      if (!isRight || message.offset !== offset + index) throw new Error(`another message at ${offset + index}`);
    }
    if (partition.counters.messagesCount !== model.payloads.length) throw new Error("another count");
  };
  for (const done of steps) {
    switch (done.kind) {
      case "append":
        waiting.push(partition.append(makeBatch(done.sizes, model.append(done.sizes))));
        break;
      case "endTurn":
        harness.endTurn();
        break;
      case "flush":
        await partition.flush(done.fsync);
        break;
      case "save":
        await partition.save();
        break;
      case "close":
        await partition.close();
        await settle();
        reopen();
        break;
      case "kill":
        // The process ends, the system goes on: at memory level only what was flushed is left.
        await settle();
        if (options.acknowledge === "memory") await partition.flush(false);
        reopen();
        break;
      case "purge":
        await settle();
        await partition.purge();
        model.payloads = [];
        break;
      case "read":
        await check(done.offset, done.count);
    }
  }
  await check(0, 10_000);
}

const levels: Acknowledge[] = ["memory", "write", "sync"];
const caches: StorageOptions["cacheIndexes"][] = ["all", "open_segment", "none"];

test.each(
  levels.flatMap((level) => caches.map((cache) => [level, cache] as const)),
)("histories at level %s, cache_indexes %s", async (acknowledge, cacheIndexes) => {
  const options = {
    acknowledge,
    cacheIndexes,
    segmentSizeBytes: 1500,
    messagesRequiredToSave: 12,
    bytesRequiredToSave: 900,
    openFilesMax: 4,
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => run(options, steps)),
    { numRuns: 60 },
  );
});
