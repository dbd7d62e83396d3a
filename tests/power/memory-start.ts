// A start in memory: metadata and storage are opened over a disk in memory as shard 0 opens them, and everything is read.
import { join } from "node:path";
import { entriesById, MetadataLog, type MetadataState } from "../../src/metadata/index.ts";
import {
  Counters,
  createSharedCounters,
  type DataPaths,
  LocalPartitions,
  partitionKeyOf,
} from "../../src/shard/index.ts";
import type { Partition } from "../../src/storage/index.ts";
import { makePaths } from "../shard/setup.ts";
import { appendNow, type Harness, makeHarness, poll } from "../storage/harness.ts";
import { MemoryDisk } from "../storage/memory-disk.ts";
import { smallSegmentBytes } from "./small-directory.ts";

const dataPath = "/data";
const paths: DataPaths = makePaths(dataPath);
const sharedCounters = createSharedCounters();
const readAtOnce = 7;

/** A disk with these files in the data directory. */
export function diskOf(files: ReadonlyMap<string, Uint8Array>): MemoryDisk {
  const disk = new MemoryDisk();
  for (const [path, bytes] of files) disk.put(join(dataPath, path), bytes);
  return disk;
}

/** What one partition gave. */
export interface SeenPartition {
  /** Bytes of each message by offset, in base64. */
  readonly messages: ReadonlyMap<number, string>;
  /** Offset that the next message was given. */
  readonly nextOffset: number;
  /** Stored offsets by kind and number of the consumer. */
  readonly offsets: ReadonlyMap<string, number | undefined>;
}

/** What a start gave. */
export interface SeenStart {
  /** Metadata as text that is equal for equal states. */
  readonly metadata: string;
  /** By names: stream, topic, partition. */
  readonly partitions: ReadonlyMap<string, SeenPartition>;
  /** What would stand in the log at WARN or above. */
  readonly lines: readonly string[];
}

/** Opens, reads everything, and appends one message to each partition. Rejects where a broker would not start. */
export async function startInMemory(disk: MemoryDisk, consumers: readonly string[]): Promise<SeenStart> {
  const { log, state, repairs } = MetadataLog.open({
    disk,
    directory: paths.stateDirectory,
    enforceFsync: true,
    onSnapshotFailure: (error) => {
      throw error;
    },
  });
  const lines = repairs.map((repair) => JSON.stringify(repair, withBigints));
  const metadata = JSON.stringify(state, withBigints);
  const harness = makeHarness(disk, { acknowledge: "sync", segmentSizeBytes: smallSegmentBytes });
  const counters = new Counters(sharedCounters);
  const local = new LocalPartitions({ shardId: 0, shardCount: 1, storage: harness.context, counters, paths });
  local.open(state);
  const partitions = new Map<string, SeenPartition>();
  for (const { name, key } of partitionsOf(state)) {
    partitions.set(name, await seePartition(harness, local.require(key), consumers));
  }
  for (const partition of local.all) await partition.close();
  log.close();
  lines.push(...harness.logged.filter((line) => !line.startsWith("info")));
  return { metadata, partitions, lines };
}

async function seePartition(
  harness: Harness,
  partition: Partition,
  consumers: readonly string[],
): Promise<SeenPartition> {
  const offsets = new Map<string, number | undefined>();
  for (const consumer of consumers) {
    const [kind, id] = consumer.split(" ");
    const key = { kind: kind === "group" ? "group" : "consumer", id: Number(id) } as const;
    offsets.set(consumer, partition.getOffset(key));
  }
  const messages = new Map<number, string>();
  let next = 0;
  for (;;) {
    const { messages: seen } = await poll(partition, { kind: "offset", offset: next }, readAtOnce);
    if (seen.length === 0) break;
    for (const { offset, bytes } of seen) messages.set(offset, Buffer.from(bytes).toString("base64"));
    next = seen.at(-1)!.offset + 1;
  }
  await appendNow(harness, partition, [5]);
  const { messages: appended } = await poll(partition, { kind: "last" }, 1);
  return { messages, nextOffset: appended[0]!.offset, offsets };
}

function partitionsOf(state: MetadataState): { readonly name: string; readonly key: number }[] {
  return entriesById(state.streams).flatMap((stream) =>
    entriesById(stream.topics).flatMap((topic) =>
      topic.partitions.map((_, id) => ({
        name: `${stream.name}/${topic.name}/${id}`,
        key: partitionKeyOf(stream.id, topic.id, id),
      })),
    ),
  );
}

function withBigints(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Map) return [...value];
  return value instanceof Set ? [...value] : value;
}
