// The partitions that this shard owns, and the slots of all. Follows the metadata events; keeps its own list of topics, so
// that it does not matter whether an event has been applied to the state already.
import { entriesById, type MetadataEvent, type MetadataState } from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import { Partition, type StorageContext } from "../storage/index.ts";
import type { Counters } from "./counters.ts";
import type { DataPaths } from "./paths.ts";
import { ownerShardOf, partitionKeyOf, splitPartitionKey } from "./placement.ts";

export interface LocalPartitionsOptions {
  readonly shardId: number;
  readonly shardCount: number;
  readonly storage: StorageContext;
  readonly counters: Counters;
  readonly paths: DataPaths;
}

export class LocalPartitions {
  readonly #options: LocalPartitionsOptions;
  readonly #partitions = new Map<number, Partition>();
  /** Partitions of every topic, also of those that other shards own. */
  readonly #partitionsCounts = new Map<number, number>();

  constructor(options: LocalPartitionsOptions) {
    this.#options = options;
  }

  /** Opens everything that the state names and this shard owns. */
  open(state: MetadataState): void {
    for (const stream of entriesById(state.streams)) {
      for (const topic of entriesById(stream.topics)) {
        this.#addTopic(stream.id, topic.id);
        this.#addPartitions(stream.id, topic.id, topic.partitions.length);
      }
    }
  }

  /** Throws PartitionNotFound (3007). */
  require(partitionKey: number): Partition {
    const partition = this.#partitions.get(partitionKey);
    if (partition !== undefined) return partition;
    const { streamId, topicId, partitionId } = splitPartitionKey(partitionKey);
    throw new IggyError("PartitionNotFound", [partitionId, topicId, streamId]);
  }

  /** Undefined: unknown, or owned by another shard. */
  find(partitionKey: number): Partition | undefined {
    return this.#partitions.get(partitionKey);
  }

  get all(): Iterable<Partition> {
    return this.#partitions.values();
  }

  /** The effects of an event on partitions; resolves when they are done. */
  async follow(event: MetadataEvent): Promise<void> {
    switch (event.kind) {
      case "topicCreated":
        this.#addTopic(event.streamId, event.topicId);
        this.#addPartitions(event.streamId, event.topicId, event.partitionsCount);
        return;
      case "partitionsCreated":
        this.#addPartitions(event.streamId, event.topicId, event.count);
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
        await this.#purge([partitionKeyOf(event.streamId, event.topicId, 0)]);
        return;
      case "streamPurged":
        await this.#purge(this.#topicKeysOf(event.streamId));
        return;
      default:
        return; // nothing that concerns partitions
    }
  }

  #topicKeysOf(streamId: number): number[] {
    return [...this.#partitionsCounts.keys()].filter((topicKey) => splitPartitionKey(topicKey).streamId === streamId);
  }

  #addTopic(streamId: number, topicId: number): void {
    const topicKey = partitionKeyOf(streamId, topicId, 0);
    this.#partitionsCounts.set(topicKey, 0);
    this.#options.counters.addTopic(topicKey, this.#options.shardId === 0);
  }

  #addPartitions(streamId: number, topicId: number, count: number): void {
    const { counters, shardId, shardCount, storage, paths } = this.#options;
    const topicKey = partitionKeyOf(streamId, topicId, 0);
    const start = this.#partitionsCounts.get(topicKey) ?? 0;
    for (let partitionId = start; partitionId < start + count; partitionId++) {
      const key = partitionKeyOf(streamId, topicId, partitionId);
      const isOwner = ownerShardOf(key, shardCount) === shardId;
      counters.addPartition(key, isOwner);
      if (!isOwner) continue;
      const directory = paths.partitionDirectory(streamId, topicId, partitionId);
      const partition = Partition.open(storage, directory, (changed) => counters.setPartition(key, changed));
      counters.setPartition(key, partition.counters);
      this.#partitions.set(key, partition);
    }
    this.#partitionsCounts.set(topicKey, start + count);
  }

  #removePartitions(topicKey: number, count: number): void {
    const before = this.#partitionsCounts.get(topicKey) ?? 0;
    for (let partitionId = before - count; partitionId < before; partitionId++) {
      const key = topicKey + partitionId;
      this.#partitions.get(key)?.abandon();
      this.#partitions.delete(key);
      this.#options.counters.removePartition(key);
    }
    this.#partitionsCounts.set(topicKey, before - count);
  }

  #removeTopic(topicKey: number): void {
    this.#removePartitions(topicKey, this.#partitionsCounts.get(topicKey) ?? 0);
    this.#partitionsCounts.delete(topicKey);
    this.#options.counters.removeTopic(topicKey);
  }

  async #purge(topicKeys: readonly number[]): Promise<void> {
    const purges: Promise<void>[] = [];
    for (const topicKey of topicKeys) {
      const count = this.#partitionsCounts.get(topicKey) ?? 0;
      for (let partitionId = 0; partitionId < count; partitionId++) {
        const partition = this.#partitions.get(topicKey + partitionId);
        if (partition !== undefined) purges.push(partition.purge());
      }
    }
    await Promise.all(purges);
  }
}
