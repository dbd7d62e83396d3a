// The partitions that this shard owns, and the slots of all. Follows the metadata events; keeps its own list of topics, so
// that it does not matter whether an event has been applied to the state already. A partition whose files cannot be opened is
// closed, and tried again: one bad file keeps one partition from its clients, never the others.
import {
  areOffsetsPersisted,
  createState,
  entriesById,
  isPersisted,
  logIdOf,
  type MetadataEvent,
  type MetadataState,
  noTopicOptions,
  storageOptionsOf,
  type TopicOptions,
} from "../metadata/index.ts";
import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { Partition, type PartitionCounters, type StorageContext } from "../storage/index.ts";
import type { Counters } from "./counters.ts";
import { type LinkedPartitions, type LinkRequest, linkPartitions } from "./linked-partitions.ts";
import { PartitionPlace } from "./partition-identity.ts";
import { PartitionWatches } from "./partition-watches.ts";
import type { DataPaths } from "./paths.ts";
import { ownerShardOf, partitionKeyOf, splitPartitionKey } from "./placement.ts";
import type { HeldPartition } from "./statistics.ts";

const retryMicrosMin = 1_000_000;
const retryMicrosMax = 60_000_000;

export interface LocalPartitionsOptions {
  readonly shardId: number;
  readonly shardCount: number;
  readonly storage: StorageContext;
  readonly counters: Counters;
  readonly paths: DataPaths;
}

/** What a request gets of a partition that is closed. */
type ClosedError = "CannotReadFile" | "CannotAppendToFile";

interface ClosedPartition {
  readonly place: PartitionPlace;
  readonly cause: DiskError;
  readonly triedAtMicros: number;
  readonly retryAfterMicros: number;
}

export class LocalPartitions {
  readonly #options: LocalPartitionsOptions;
  readonly #partitions = new Map<number, Partition>();
  readonly #closed = new Map<number, ClosedPartition>();
  /** Who waits for messages of them. */
  readonly watches = new PartitionWatches();
  /** Partitions of every topic, also of those that other shards own. */
  readonly #partitionsCounts = new Map<number, number>();
  /** Of topics with options of their own: a level above the configured one, sizes of segments and of what waits in memory. */
  readonly #ownStorages = new Map<number, StorageContext>();
  #state: MetadataState = createState();

  constructor(options: LocalPartitionsOptions) {
    this.#options = options;
  }

  /** Opens everything that the state names and this shard owns. The state is looked at later, too. */
  open(state: MetadataState): void {
    this.#state = state;
    for (const stream of entriesById(state.streams)) {
      for (const topic of entriesById(stream.topics)) {
        this.#addTopic(stream.id, topic.id, topic.options);
        this.#addPartitions(
          stream.id,
          topic.id,
          topic.partitions.map(({ logBase }) => logBase),
        );
      }
    }
  }

  /**
   * Throws PartitionNotFound (3007), and `closedError` where its files cannot be opened: CannotReadFile (10002) for reads,
   * CannotAppendToFile (10005) for appends.
   */
  require(partitionKey: number, closedError: ClosedError = "CannotReadFile"): Partition {
    const partition = this.#partitions.get(partitionKey);
    if (partition !== undefined) return partition;
    const reopened = this.#retry(partitionKey);
    if (reopened !== undefined) return reopened;
    const closed = this.#closed.get(partitionKey);
    if (closed !== undefined) throw new IggyError(closedError, [], { cause: closed.cause });
    const { streamId, topicId, partitionId } = splitPartitionKey(partitionKey);
    throw new IggyError("PartitionNotFound", [partitionId, topicId, streamId]);
  }

  /** Undefined: unknown, closed, or owned by another shard. */
  find(partitionKey: number): Partition | undefined {
    return this.#partitions.get(partitionKey);
  }

  /** Of those that are open, the partitions of which a consumer holds segments back; at most `countMax`. */
  held(countMax: number): HeldPartition[] {
    const held: HeldPartition[] = [];
    for (const [partitionKey, { segmentHolder }] of this.#partitions) {
      if (held.length >= countMax) break;
      if (segmentHolder !== undefined) held.push({ partitionKey, ...segmentHolder });
    }
    return held;
  }

  /** Those that are open. */
  get all(): Iterable<Partition> {
    return this.#partitions.values();
  }

  /** Links what they hold into the directory of a point. Rejects with what failed. */
  async linkInto(request: LinkRequest): Promise<LinkedPartitions> {
    const closedKeys = [...this.#closed.keys()];
    return { partitionsCount: await linkPartitions(this.#partitions, this.#options.paths, request), closedKeys };
  }

  /** Tries those again that are closed, each when its time has come. */
  retryClosed(): void {
    for (const partitionKey of [...this.#closed.keys()]) this.#retry(partitionKey);
  }

  /** The effects of an event on partitions; resolves when they are done. */
  async follow(event: MetadataEvent): Promise<void> {
    switch (event.kind) {
      case "topicCreated":
        this.#addTopic(event.streamId, event.topicId, event.options);
        this.#addPartitions(event.streamId, event.topicId, Array(event.partitionsCount).fill(event.logBase));
        return;
      case "partitionsCreated":
        this.#addPartitions(event.streamId, event.topicId, Array(event.count).fill(event.logBase));
        return;
      case "partitionsDeleted":
        this.#removePartitions(partitionKeyOf(event.streamId, event.topicId, 0), event.count);
        return;
      case "topicDeleted":
        this.#removeTopic(partitionKeyOf(event.streamId, event.topicId, 0));
        return;
      case "streamDeleted":
        for (const topicKey of this.#topicKeysOf(event.streamId)) this.#removeTopic(topicKey);
        return;
      case "topicPurged":
        await this.#purge([partitionKeyOf(event.streamId, event.topicId, 0)], event.logBase);
        return;
      case "streamPurged":
        await this.#purge(this.#topicKeysOf(event.streamId), event.logBase);
        return;
      default:
        return; // nothing that concerns partitions
    }
  }

  #topicKeysOf(streamId: number): number[] {
    return [...this.#partitionsCounts.keys()].filter((topicKey) => splitPartitionKey(topicKey).streamId === streamId);
  }

  #addTopic(streamId: number, topicId: number, options: TopicOptions = noTopicOptions): void {
    const topicKey = partitionKeyOf(streamId, topicId, 0);
    this.#partitionsCounts.set(topicKey, 0);
    const { storage } = this.#options;
    const own = {
      ...storageOptionsOf({ options }),
      ...(isPersisted({ options }) ? { acknowledge: "sync" as const } : {}),
      ...(areOffsetsPersisted({ options }) ? { persistsOffsets: true } : {}),
    };
    if (Object.keys(own).length > 0) {
      this.#ownStorages.set(topicKey, { ...storage, options: { ...storage.options, ...own } });
    }
    this.#options.counters.addTopic(topicKey, this.#options.shardId === 0);
  }

  /** `logBases`: of each new one. */
  #addPartitions(streamId: number, topicId: number, logBases: readonly (string | undefined)[]): void {
    const { counters, shardId, shardCount } = this.#options;
    const topicKey = partitionKeyOf(streamId, topicId, 0);
    const start = this.#partitionsCounts.get(topicKey) ?? 0;
    for (const [index, logBase] of logBases.entries()) {
      const key = topicKey + start + index;
      const isOwner = ownerShardOf(key, shardCount) === shardId;
      const hasSlot = counters.addPartition(key, isOwner);
      if (!isOwner) continue;
      const place = new PartitionPlace(this.#state, key, logIdOf(logBase, topicId, start + index));
      if (hasSlot) this.#open(key, place);
      else this.#close(key, place, new DiskError("open", this.#directoryOf(key), "ENFILE"), Number.POSITIVE_INFINITY);
    }
    this.#partitionsCounts.set(topicKey, start + logBases.length);
  }

  /** For the partitions of a topic; what they share they share with all. */
  #storageOf(partitionKey: number): StorageContext {
    const { streamId, topicId } = splitPartitionKey(partitionKey);
    return this.#ownStorages.get(partitionKeyOf(streamId, topicId, 0)) ?? this.#options.storage;
  }

  #directoryOf(partitionKey: number): string {
    const { streamId, topicId, partitionId } = splitPartitionKey(partitionKey);
    return this.#options.paths.partitionDirectory(streamId, topicId, partitionId);
  }

  /** Undefined: it is closed now. */
  #open(key: number, place: PartitionPlace): Partition | undefined {
    const { counters } = this.#options;
    const { watches } = this;
    const onChange = (changed: PartitionCounters) => {
      counters.setPartition(key, changed);
      if (watches.count > 0) watches.grown(key);
    };
    try {
      const partition = Partition.open(this.#storageOf(key), this.#directoryOf(key), onChange, place);
      counters.setPartition(key, partition.counters);
      this.#partitions.set(key, partition);
      this.#closed.delete(key);
      return partition;
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      const before = this.#closed.get(key);
      this.#close(key, place, thrown, Math.min((before?.retryAfterMicros ?? 0) * 2 || retryMicrosMin, retryMicrosMax));
      return undefined;
    }
  }

  #close(key: number, place: PartitionPlace, cause: DiskError, retryAfterMicros: number): void {
    const { clock, log, count } = this.#options.storage;
    if (!this.#closed.has(key)) {
      count?.("closedPartitions");
      log.error("a partition cannot be opened and is closed", {
        directory: this.#directoryOf(key),
        error: cause.message,
      });
    }
    this.#closed.set(key, { place, cause, triedAtMicros: clock.nowMicros(), retryAfterMicros });
  }

  #retry(partitionKey: number): Partition | undefined {
    const closed = this.#closed.get(partitionKey);
    if (closed === undefined) return undefined;
    const { clock, log } = this.#options.storage;
    // The clock may have been set back.
    const waitedMicros = Math.abs(clock.nowMicros() - closed.triedAtMicros);
    if (waitedMicros < closed.retryAfterMicros) return undefined;
    const partition = this.#open(partitionKey, closed.place);
    if (partition !== undefined) log.info("a partition is open again", { directory: this.#directoryOf(partitionKey) });
    return partition;
  }

  #removePartitions(topicKey: number, count: number): void {
    const before = this.#partitionsCounts.get(topicKey) ?? 0;
    for (let partitionId = before - count; partitionId < before; partitionId++) {
      const key = topicKey + partitionId;
      this.#partitions.get(key)?.abandon();
      this.#partitions.delete(key);
      this.#closed.delete(key);
      this.#options.counters.removePartition(key);
    }
    this.#partitionsCounts.set(topicKey, before - count);
  }

  #removeTopic(topicKey: number): void {
    this.#removePartitions(topicKey, this.#partitionsCounts.get(topicKey) ?? 0);
    this.#partitionsCounts.delete(topicKey);
    this.#ownStorages.delete(topicKey);
    this.#options.counters.removeTopic(topicKey);
  }

  /** All are tried; rejects with the first failure. */
  async #purge(topicKeys: readonly number[], logBase: string | undefined): Promise<void> {
    const purges: Promise<void>[] = [];
    for (const topicKey of topicKeys) {
      const { topicId } = splitPartitionKey(topicKey);
      const count = this.#partitionsCounts.get(topicKey) ?? 0;
      for (let partitionId = 0; partitionId < count; partitionId++) {
        const key = topicKey + partitionId;
        const logId = logIdOf(logBase, topicId, partitionId);
        const partition = this.#partitions.get(key);
        if (partition !== undefined) purges.push(partition.purge(logId));
        else if (this.#closed.has(key)) purges.push(this.#purgeClosed(key, logId));
      }
    }
    const failed = (await Promise.allSettled(purges)).find((outcome) => outcome.status === "rejected");
    for (const topicKey of topicKeys) this.#tellPurged(topicKey);
    if (failed !== undefined) throw failed.reason;
  }

  #tellPurged(topicKey: number): void {
    const count = this.#partitionsCounts.get(topicKey) ?? 0;
    for (let partitionId = 0; partitionId < count; partitionId++) {
      if (this.watches.count === 0) return;
      this.watches.purged(topicKey + partitionId);
    }
  }

  /** What it had is of a log that ended, so it is taken away when the new one is opened: now, or when the disk lets it. */
  async #purgeClosed(key: number, logId: string | undefined): Promise<void> {
    const closed = this.#closed.get(key);
    if (closed === undefined) return;
    const place = logId === undefined ? closed.place : new PartitionPlace(this.#state, key, logId);
    if (this.#open(key, place) !== undefined) return;
    throw new IggyError("CannotDeleteFile", [], { cause: this.#closed.get(key)?.cause });
  }
}
