// Numbers that every shard may read and one shard writes: counters of partitions (their owner writes), the turn of balanced
// sends to a topic, and the clients of the process. They live in shared memory, so that a listing needs no message to any
// other shard. A slot belongs to a partition or topic while it exists; every shard hands slots out in the order of the
// metadata events, which is the same everywhere, so they agree without talking.
import { assert } from "../platform/assert.ts";
import type { PartitionCounters } from "../storage/index.ts";

/** Partitions and topics that can exist at the same time. The memory is virtual until a slot is used. */
export const partitionSlotsMax = 1_048_576;
export const topicSlotsMax = 1_048_576;

const fieldsPerPartition = 5;
const Field = { segmentsCount: 0, currentOffset: 1, hasMessages: 2, sizeBytes: 3, messagesCount: 4 } as const;

/** Memory that the main thread makes once and hands to every shard. */
export interface SharedCounters {
  readonly partitions: SharedArrayBuffer;
  readonly topics: SharedArrayBuffer;
  readonly process: SharedArrayBuffer;
}

const ProcessField = { nextClientId: 0, clientsCount: 1 } as const;

export function createSharedCounters(): SharedCounters {
  return {
    partitions: new SharedArrayBuffer(partitionSlotsMax * fieldsPerPartition * Float64Array.BYTES_PER_ELEMENT),
    topics: new SharedArrayBuffer(topicSlotsMax * Int32Array.BYTES_PER_ELEMENT),
    process: new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT),
  };
}

/** Slots by key, last freed first given. */
class Slots {
  readonly #byKey = new Map<number, number>();
  readonly #free: number[] = [];
  readonly #slotsMax: number;
  #next = 0;

  constructor(slotsMax: number) {
    this.#slotsMax = slotsMax;
  }

  take(key: number): number {
    assert(!this.#byKey.has(key), "a key has one slot", { key });
    const slot = this.#free.pop() ?? this.#next++;
    assert(slot < this.#slotsMax, "there are fewer partitions and topics than slots");
    this.#byKey.set(key, slot);
    return slot;
  }

  give(key: number): void {
    const slot = this.of(key);
    this.#byKey.delete(key);
    this.#free.push(slot);
  }

  of(key: number): number {
    const slot = this.#byKey.get(key);
    assert(slot !== undefined, "a key that exists has a slot", { key });
    return slot;
  }
}

export class Counters {
  readonly #partitions: Float64Array;
  readonly #topics: Int32Array;
  readonly #process: Int32Array;
  readonly #partitionSlots = new Slots(partitionSlotsMax);
  readonly #topicSlots = new Slots(topicSlotsMax);

  constructor(shared: SharedCounters) {
    this.#partitions = new Float64Array(shared.partitions);
    this.#topics = new Int32Array(shared.topics);
    this.#process = new Int32Array(shared.process);
  }

  /** `isOwner`: exactly one shard clears what an earlier holder of the slot left. */
  addPartition(partitionKey: number, isOwner: boolean): void {
    const slot = this.#partitionSlots.take(partitionKey);
    if (isOwner) this.#partitions.fill(0, slot * fieldsPerPartition, (slot + 1) * fieldsPerPartition);
  }

  removePartition(partitionKey: number): void {
    this.#partitionSlots.give(partitionKey);
  }

  /** Only by the owner of the partition. */
  setPartition(partitionKey: number, counters: PartitionCounters): void {
    const base = this.#partitionSlots.of(partitionKey) * fieldsPerPartition;
    const fields = this.#partitions;
    fields[base + Field.segmentsCount] = counters.segmentsCount;
    fields[base + Field.currentOffset] = counters.currentOffset;
    fields[base + Field.hasMessages] = counters.hasMessages ? 1 : 0;
    fields[base + Field.sizeBytes] = counters.sizeBytes;
    fields[base + Field.messagesCount] = counters.messagesCount;
  }

  partition(partitionKey: number): PartitionCounters {
    const base = this.#partitionSlots.of(partitionKey) * fieldsPerPartition;
    const fields = this.#partitions;
    return {
      segmentsCount: fields[base + Field.segmentsCount]!,
      currentOffset: fields[base + Field.currentOffset]!,
      hasMessages: fields[base + Field.hasMessages] === 1,
      sizeBytes: fields[base + Field.sizeBytes]!,
      messagesCount: fields[base + Field.messagesCount]!,
    };
  }

  /** `topicKey`: the key of its partition 0. `isFirst`: exactly one shard starts the turn at 0. */
  addTopic(topicKey: number, isFirst: boolean): void {
    const slot = this.#topicSlots.take(topicKey);
    if (isFirst) Atomics.store(this.#topics, slot, 0);
  }

  removeTopic(topicKey: number): void {
    this.#topicSlots.give(topicKey);
  }

  /** Partition of the next balanced send: one counter per topic for all connections (spec SB 4.3). */
  nextBalancedPartition(topicKey: number, partitionsCount: number): number {
    return (Atomics.add(this.#topics, this.#topicSlots.of(topicKey), 1) >>> 0) % partitionsCount;
  }

  /** Unique among the clients of this process; 0 is never given. */
  addClient(): number {
    Atomics.add(this.#process, ProcessField.clientsCount, 1);
    for (;;) {
      const clientId = (Atomics.add(this.#process, ProcessField.nextClientId, 1) + 1) >>> 0;
      if (clientId !== 0) return clientId;
    }
  }

  removeClient(): void {
    Atomics.sub(this.#process, ProcessField.clientsCount, 1);
  }

  clientsCount(): number {
    return Atomics.load(this.#process, ProcessField.clientsCount);
  }
}
