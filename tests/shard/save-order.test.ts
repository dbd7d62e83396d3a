// What is saved from time to time, and when it stops: the metadata first, wherever they are, so that after a power loss no message
// is without the topic that names it.
import { afterEach, expect, test } from "bun:test";
import type { Disk, DiskFile } from "../../src/platform/disk.ts";
import { realDisk } from "../../src/platform/real-disk.ts";
import { ownerShardOf, partitionKeyOf } from "../../src/shard/index.ts";
import { wrappedDisk, wrappedFile } from "../support/wrapped-disk.ts";
import { append } from "./append.ts";
import { startShards, type TestShards } from "./setup.ts";

const stream = { kind: "string", value: "orders" } as const;
const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;
const keys = [partitionKeyOf(0, 0, 0), partitionKeyOf(0, 0, 1)] as const;

let running: TestShards;

afterEach(() => running.close());

/** The real disk, and what was made durable on it, in order: "metadata" or "messages". */
function recordingDisk(): { disk: Disk; synced: string[] } {
  const synced: string[] = [];
  const note = (path: string) => {
    if (path.includes("metadata.log")) synced.push("metadata");
    if (/\/\d+\.log$/.test(path)) synced.push("messages");
  };
  const recordFile = (path: string, file: DiskFile): DiskFile =>
    wrappedFile(file, {
      sync: () => file.sync().then(() => note(path)),
      syncNow: () => {
        file.syncNow();
        note(path);
      },
    });
  const disk = wrappedDisk(realDisk, { open: (path, mode) => recordFile(path, realDisk.open(path, mode)) });
  return { disk, synced };
}

/** A topic with messages in partitions of both shards, nothing of it durable. */
async function start(enforceFsync: boolean) {
  const { disk, synced } = recordingDisk();
  running = startShards({ disk, enforceFsync });
  const [zero, one] = running.shards;
  expect(keys.map((key) => ownerShardOf(key, 2))).toEqual([0, 1]);
  await zero.shard.control({ kind: "createStream", request: { name: "orders" } });
  await zero.shard.control({ kind: "createTopic", request: { stream, name: "paid", partitionsCount: 2, ...settings } });
  for (const key of keys) await append(zero, key, [100]);
  synced.length = 0;
  return { zero: zero.shard, one: one.shard, synced };
}

test.each(["zero", "one"] as const)("the saver of shard %s makes metadata durable before messages", async (name) => {
  const shards = await start(true);
  await shards[name].save();
  expect(shards.synced).toEqual(["metadata", "messages"]);
  await shards[name].save();
  expect(shards.synced).toEqual(["metadata", "messages"]);
});

test("a saver that syncs nothing leaves the metadata to the system too", async () => {
  const { one, synced } = await start(false);
  await one.save();
  expect(synced).toEqual([]);
});

test.each(
  keys,
)("a flush that syncs partition %d makes metadata durable first, one that does not syncs nothing", async (key) => {
  const { zero, synced } = await start(false);
  await zero.flush(key, false);
  expect(synced).toEqual([]);
  await zero.flush(key, true);
  expect(synced).toEqual(["metadata", "messages"]);
});

test("a clean stop makes metadata durable before messages", async () => {
  const { one, synced } = await start(false);
  await one.close();
  expect(synced).toEqual(["metadata", "messages"]);
});
