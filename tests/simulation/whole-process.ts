/** One process of the broker on a simulated disk, without its transports: metadata, control plane, partitions, one shard. */
import { MetadataLog, type MetadataState } from "../../src/metadata/index.ts";
import { assert } from "../../src/platform/assert.ts";
import type { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { allPermissions } from "../../src/process/root-user.ts";
import { createClientCounts } from "../../src/shard/client-counts.ts";
import {
  ControlPlane,
  Counters,
  type DataPaths,
  type FrameBuffer,
  LocalPartitions,
  Shard,
  TakenDirectories,
  tidyStreams,
} from "../../src/shard/index.ts";
import { createWaitCounts } from "../../src/shard/wait-counts.ts";
import type { StorageOptions } from "../../src/storage/index.ts";
import { batchOf, type SentMessage } from "./messages.ts";
import type { Trace } from "./seeds.ts";
import { createSimContext, SimClock } from "./storage-setup.ts";

/** More than a run ever has at a time. */
const slotsCount = 256;

const topicDefaults = {
  messageExpiryMicros: 2n ** 64n - 1n,
  maxTopicSizeBytes: 2n ** 64n - 1n,
  segmentSizeBytes: 1024 * 1024,
};

export class WholeProcess {
  readonly disk: SimDisk;
  readonly shard: Shard;
  readonly partitions: LocalPartitions;
  readonly #log: MetadataLog;

  /** Starts as a worker does: the metadata, what deletions left, the partitions. Throws where the disk stops. */
  constructor(disk: SimDisk, paths: DataPaths, options: StorageOptions, clock: UniqueClock, trace: Trace) {
    const { simulation } = disk;
    const { random } = simulation;
    this.disk = disk;
    const note = (level: string) => (message: string, fields?: object) =>
      trace.add(`    ${level}: ${message} ${JSON.stringify(fields ?? {})}`);
    const messages = { info: note("info"), warn: note("warn"), error: note("error") };
    const { log } = MetadataLog.open({
      disk,
      directory: paths.stateDirectory,
      enforceFsync: options.acknowledge === "sync",
      snapshotEveryEntries: 25,
      onSnapshotFailure: (error) => trace.add(`    no snapshot: ${String(error)}`),
    });
    this.#log = log;
    if (!log.state.users.byId.has(0)) {
      log.append({
        kind: "userCreated",
        userId: 0,
        name: "root",
        passwordHash: "",
        status: 1,
        createdAtMicros: clock.nowMicros(),
        permissions: allPermissions,
      });
    }
    void tidyStreams({ metadataLog: log, disk, paths, random, messages });
    const state = log.publishedState;
    const directories = new TakenDirectories({ disk, streamsDirectory: paths.streamsDirectory, random, log: messages });
    const storage = { ...createSimContext(disk, new SimClock(simulation), options, trace), directories };
    const counters = new Counters({
      partitions: new SharedArrayBuffer(slotsCount * 5 * Float64Array.BYTES_PER_ELEMENT),
      topics: new SharedArrayBuffer(slotsCount * Int32Array.BYTES_PER_ELEMENT),
      process: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
      clients: createClientCounts(),
      waits: createWaitCounts(1),
      subscriptions: createWaitCounts(1),
    });
    this.partitions = new LocalPartitions({ shardId: 0, shardCount: 1, storage, counters, paths });
    this.partitions.open(state);
    this.shard = new Shard({
      shardId: 0,
      shardCount: 1,
      state,
      partitions: this.partitions,
      counters,
      storage,
      memories: [],
      makeSeed: () => {
        const seed = new Uint8Array(32);
        random.fill(seed);
        return seed;
      },
      ports: [undefined],
      controlPlane: (broadcast) =>
        new ControlPlane({
          log,
          disk,
          clock,
          paths,
          topicDefaults,
          tokensPerUserMax: 1,
          random,
          messages,
          broadcast,
        }),
      syncMetadata: () => log.sync(),
      localClients: () => [],
      onEvent: () => undefined,
      onAdopt: () => assert(false, "one shard hands nothing over"),
      onFailure: (thrown) => trace.add(`    failed: ${String(thrown)}`),
    });
  }

  /** What clients see. */
  get state(): MetadataState {
    return this.#log.publishedState;
  }

  append(partitionKey: number, sent: readonly SentMessage[]): Promise<void> {
    const batch = batchOf(sent, this.disk.simulation);
    const large = new SharedArrayBuffer(batch.memory.byteLength);
    const memory = new Uint8Array(large);
    memory.set(batch.memory);
    const { rowsPosition, messagesCount, messagesPosition, messagesSizeBytes } = batch;
    const buffer: FrameBuffer = {
      memory,
      position: 0,
      sizeBytes: memory.byteLength,
      address: 0,
      large,
      slotClass: 0,
      grantedBytes: 0,
    };
    const place = { buffer, rowsPosition, messagesCount, messagesPosition, messagesSizeBytes };
    return this.shard.append(partitionKey, place);
  }

  async close(): Promise<void> {
    await this.shard.close();
    this.#log.close();
  }
}

/** No two times are the same, so that times tell things apart that had the same name. */
export class UniqueClock {
  #nowMicros = 1_700_000_000_000_000;

  nowMicros(): number {
    return ++this.#nowMicros;
  }
}
