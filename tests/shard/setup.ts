// Shards of one process in one thread, over a real directory and real message channels.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { type MetadataEvent, MetadataLog, type MetadataState } from "../../src/metadata/index.ts";
import { systemClock } from "../../src/platform/clock.ts";
import type { Disk } from "../../src/platform/disk.ts";
import { realDisk } from "../../src/platform/real-disk.ts";
import { allPermissions } from "../../src/process/root-user.ts";
import type { ClientDetails } from "../../src/protocol/records/client-header.ts";
import { FrameMemory } from "../../src/shard/frame-memory.ts";
import {
  ControlPlane,
  Counters,
  createSharedCounters,
  type DataPaths,
  dataPaths,
  LocalPartitions,
  type MovedConnection,
  type Port,
  Shard,
} from "../../src/shard/index.ts";
import type { ShardMessage, ShardRequestKind } from "../../src/shard/messages.ts";
import type { PartitionWatches } from "../../src/shard/partition-watches.ts";
import {
  createStorageContext,
  type EncryptionOptions,
  JsBatchKernel,
  kernelReservedBytes,
  type StorageContext,
} from "../../src/storage/index.ts";

/** When user 0 was made, who may do everything. */
export const rootCreatedAtMicros = 1_700_000_000_000_000;

export const topicDefaults = {
  messageExpiryMicros: 2n ** 64n - 1n,
  maxTopicSizeBytes: 2n ** 64n - 1n,
  segmentSizeBytes: 1024 * 1024,
  messagesRequiredToSave: 1024,
  bytesRequiredToSave: 1_048_576,
};

export function makePaths(path: string): DataPaths {
  const environment = { IGGY_SYSTEM_PATH: path, IGGY_CONFIG_PATH: "/dev/null" };
  return dataPaths(loadConfig({ environment, workingDirectory: tmpdir() }).config.system);
}

export interface TestShard {
  readonly shard: Shard;
  readonly state: MetadataState;
  readonly storage: StorageContext;
  readonly frames: FrameMemory;
  /** Who waits for partitions of this shard. */
  readonly watches: PartitionWatches;
  /** Everything that this shard has sent to the other. */
  readonly sent: ShardMessage[];
  /** Keeps back requests of this kind to the other shard; the answer sends them on their way. */
  hold(kind: ShardRequestKind): () => void;
  readonly adopted: MovedConnection[];
  readonly failures: unknown[];
  readonly clients: ClientDetails[];
  /** Everything that was applied on this shard. */
  readonly events: MetadataEvent[];
}

export interface TestShards {
  readonly shards: readonly [TestShard, TestShard];
  readonly paths: DataPaths;
  close(): Promise<void>;
}

function clone(state: MetadataState): MetadataState {
  return structuredClone(state);
}

export interface ShardsOptions {
  /** Every read takes time then, since its bytes are read to be decrypted. */
  readonly encryption?: EncryptionOptions;
  /** `message_saver.enforce_fsync` */
  readonly enforceFsync?: boolean;
  /** The real one when absent. */
  readonly disk?: Disk;
}

function makeStorage({ encryption, enforceFsync, disk }: ShardsOptions): StorageContext {
  const memory = new Uint8Array(256 * 1024);
  const ignore = () => undefined;
  return createStorageContext({
    disk: disk ?? realDisk,
    clock: systemClock,
    options: {
      acknowledge: "write",
      segmentSizeBytes: 1024 * 1024,
      cacheIndexes: "open_segment",
      messagesRequiredToSave: 1024,
      bytesRequiredToSave: 1024 * 1024,
      enforceFsync: enforceFsync ?? false,
      validateChecksum: false,
      openFilesMax: 64,
    },
    scan: {
      kernel: new JsBatchKernel(memory, new Uint8Array(32).fill(9)),
      memory,
      position: 0,
      sizeBytes: memory.byteLength,
    },
    log: { info: ignore, warn: ignore, error: ignore },
    schedule: (flush) => void setImmediate(flush),
    encryption,
  });
}

/** Two shards that know each other. */
export function startShards(options: ShardsOptions = {}): TestShards {
  const directory = mkdtempSync(join(tmpdir(), "whippet-shards-"));
  const paths = makePaths(directory);
  const { log, state } = MetadataLog.open({
    disk: options.disk ?? realDisk,
    directory: paths.stateDirectory,
    enforceFsync: false,
    onSnapshotFailure: (error) => {
      throw error;
    },
  });
  log.append({
    kind: "userCreated",
    userId: 0,
    name: "root",
    passwordHash: "",
    status: 1,
    createdAtMicros: rootCreatedAtMicros,
    permissions: allPermissions,
  });
  const shared = createSharedCounters();
  const channel = new MessageChannel();
  const memories = [0, 1].map(() => new WebAssembly.Memory({ shared: true, initial: 16, maximum: 256 }));
  const ports = [channel.port1, channel.port2] as const;

  const start = (shardId: 0 | 1): TestShard => {
    const own = shardId === 0 ? state : clone(state);
    const storage = makeStorage(options);
    const counters = new Counters(shared);
    const partitions = new LocalPartitions({ shardId, shardCount: 2, storage, counters, paths });
    partitions.open(own);
    const sent: ShardMessage[] = [];
    const adopted: MovedConnection[] = [];
    const failures: unknown[] = [];
    const clients: ClientDetails[] = [];
    const events: MetadataEvent[] = [];
    const held: ShardMessage[] = [];
    let heldKind: ShardRequestKind | undefined;
    const hold = (kind: ShardRequestKind) => {
      heldKind = kind;
      return () => {
        heldKind = undefined;
        for (const message of held.splice(0)) ports[shardId].postMessage(message);
      };
    };
    const port: Port = {
      postMessage: (message) => {
        sent.push(message);
        if (message.kind === "request" && message.name === heldKind) held.push(message);
        else ports[shardId].postMessage(message);
      },
      addEventListener: (type, listener) => ports[shardId].addEventListener(type, listener),
      start: () => ports[shardId].start(),
    };
    const makeControlPlane = (broadcast: (event: MetadataEvent) => Promise<void>) =>
      new ControlPlane({
        log,
        disk: realDisk,
        clock: systemClock,
        paths,
        topicDefaults,
        tokensPerUserMax: 100,
        broadcast,
      });
    const shard = new Shard({
      shardId,
      shardCount: 2,
      state: own,
      partitions,
      counters,
      storage,
      memories,
      makeSeed: () => new Uint8Array(32).fill(shardId + 1),
      ports: shardId === 0 ? [undefined, port] : [port, undefined],
      controlPlane: shardId === 0 ? makeControlPlane : undefined,
      syncMetadata: shardId === 0 ? () => log.sync() : undefined,
      localClients: () => clients,
      onEvent: (event) => events.push(event),
      onAdopt: (connection) => adopted.push(connection),
      onFailure: (thrown) => failures.push(thrown),
    });
    const frames = new FrameMemory({
      memory: memories[shardId]!,
      reservedBytes: kernelReservedBytes,
      arenaBytesMax: 16 * 1024 * 1024,
      largeBytesMax: 64 * 1024 * 1024,
    });
    return {
      shard,
      state: own,
      storage,
      frames,
      watches: partitions.watches,
      sent,
      hold,
      adopted,
      failures,
      clients,
      events,
    };
  };

  const shards = [start(0), start(1)] as const;
  return {
    shards,
    paths,
    async close() {
      for (const { shard } of shards) await shard.close();
      log.close();
      for (const port of ports) port.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
