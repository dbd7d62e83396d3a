// Numbers that every shard may read and one shard writes: counters of partitions (their owner writes), the turn of balanced
// sends to a topic, and the clients of the process. They live in shared memory, so that a listing needs no message to any
// other shard. A slot belongs to a partition or topic while it exists; every shard hands slots out in the order of the
// metadata events, which is the same everywhere, so they agree without talking.
import { partitionsMax, topicsMax } from "../metadata/index.ts";
import { assert } from "../platform/assert.ts";
import type { PartitionCounters } from "../storage/index.ts";
import { ClientCounts, createClientCounts } from "./client-counts.ts";
import { createWaitCounts, WaitCounts } from "./wait-counts.ts";

const fieldsPerPartition = 5;
const Field = { segmentsCount: 0, currentOffset: 1, hasMessages: 2, sizeBytes: 3, messagesCount: 4 } as const;

/** Memory that the main thread makes once and hands to every shard. */
export interface SharedCounters {
  readonly partitions: SharedArrayBuffer;
  readonly topics: SharedArrayBuffer;
  readonly process: SharedArrayBuffer;
  readonly clients: SharedArrayBuffer;
  readonly waits: SharedArrayBuffer;
  readonly subscriptions: SharedArrayBuffer;
}

/**
 * Slots that the memory gets at a time. Made whole it would be 46 MB in the heap of every thread, as far as the collectors know,
 * and each of them lets as much garbage pile up as its heap is large.
 */
const slotsAtATime = 4096;
const partitionBytes = fieldsPerPartition * Float64Array.BYTES_PER_ELEMENT;
const topicBytes = Int32Array.BYTES_PER_ELEMENT;

const ProcessField = { nextClientId: 0, isSnapshotUnderWay: 1 } as const;

/** Room for all that can exist at the same time; it grows as slots are used. */
export function createSharedCounters(): SharedCounters {
  return {
    partitions: new SharedArrayBuffer(0, { maxByteLength: partitionsMax * partitionBytes }),
    topics: new SharedArrayBuffer(0, { maxByteLength: topicsMax * topicBytes }),
    process: new SharedArrayBuffer(Object.keys(ProcessField).length * Int32Array.BYTES_PER_ELEMENT),
    clients: createClientCounts(),
    waits: createWaitCounts(),
    subscriptions: createWaitCounts(),
  };
}

/** In the place of a slot: an earlier version logged more than there are slots, and what is left over counts nothing. */
const noSlot = -1;

/** Slots by key, last freed first given. A slot that is taken has its place in the memory. */
class Slots {
  readonly #byKey = new Map<number, number>();
  readonly #free: number[] = [];
  readonly #memory: SharedArrayBuffer;
  readonly #slotBytes: number;
  readonly #slotsMax: number;
  #next = 0;

  constructor(memory: SharedArrayBuffer, slotBytes: number) {
    this.#memory = memory;
    this.#slotBytes = slotBytes;
    this.#slotsMax = memory.maxByteLength / slotBytes;
  }

  take(key: number): number {
    assert(!this.#byKey.has(key), "a key has one slot", { key });
    const slot = this.#free.pop() ?? (this.#next < this.#slotsMax ? this.#next++ : noSlot);
    this.#reach(slot);
    this.#byKey.set(key, slot);
    return slot;
  }

  /** Another shard may do the same at the same time, for the same slot or for later ones. */
  #reach(slot: number): void {
    const steps = Math.ceil((slot + 1) / slotsAtATime);
    const neededBytes = Math.min(steps * slotsAtATime, this.#slotsMax) * this.#slotBytes;
    while (this.#memory.byteLength < neededBytes) {
      try {
        this.#memory.grow(neededBytes);
      } catch (error) {
        // It is larger by now, or there is no memory.
        if (this.#memory.byteLength < neededBytes) throw error;
      }
    }
  }

  give(key: number): void {
    const slot = this.of(key);
    this.#byKey.delete(key);
    if (slot !== noSlot) this.#free.push(slot);
  }

  of(key: number): number {
    const slot = this.#byKey.get(key);
    assert(slot !== undefined, "a key that exists has a slot", { key });
    return slot;
  }
}

export class Counters {
  readonly clients: ClientCounts;
  readonly waits: WaitCounts;
  /** As `waits`: subscriptions that are open. */
  readonly subscriptions: WaitCounts;
  readonly #partitions: Float64Array;
  readonly #topics: Int32Array;
  readonly #process: Int32Array;
  readonly #partitionSlots: Slots;
  readonly #topicSlots: Slots;

  constructor(shared: SharedCounters) {
    this.#partitions = new Float64Array(shared.partitions);
    this.#topics = new Int32Array(shared.topics);
    this.clients = new ClientCounts(shared.clients);
    this.waits = new WaitCounts(shared.waits);
    this.subscriptions = new WaitCounts(shared.subscriptions);
    this.#process = new Int32Array(shared.process);
    this.#partitionSlots = new Slots(shared.partitions, partitionBytes);
    this.#topicSlots = new Slots(shared.topics, topicBytes);
  }

  /**
   * `isOwner`: exactly one shard clears what an earlier holder of the slot left. Whether there was a slot: none is left for
   * what goes beyond the limit, which happens only to a log that an earlier version wrote.
   */
  addPartition(partitionKey: number, isOwner: boolean): boolean {
    const slot = this.#partitionSlots.take(partitionKey);
    if (slot === noSlot) return false;
    if (isOwner) this.#partitions.fill(0, slot * fieldsPerPartition, (slot + 1) * fieldsPerPartition);
    return true;
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
      segmentsCount: fields[base + Field.segmentsCount] ?? 0,
      currentOffset: fields[base + Field.currentOffset] ?? 0,
      hasMessages: fields[base + Field.hasMessages] === 1,
      sizeBytes: fields[base + Field.sizeBytes] ?? 0,
      messagesCount: fields[base + Field.messagesCount] ?? 0,
    };
  }

  /** `topicKey`: the key of its partition 0. `isFirst`: exactly one shard starts the turn at 0. */
  addTopic(topicKey: number, isFirst: boolean): void {
    const slot = this.#topicSlots.take(topicKey);
    if (isFirst && slot !== noSlot) Atomics.store(this.#topics, slot, 0);
  }

  removeTopic(topicKey: number): void {
    this.#topicSlots.give(topicKey);
  }

  /** Partition of the next balanced send: one counter per topic for all connections (spec SB 4.3). */
  nextBalancedPartition(topicKey: number, partitionsCount: number): number {
    const slot = this.#topicSlots.of(topicKey);
    return slot === noSlot ? 0 : (Atomics.add(this.#topics, slot, 1) >>> 0) % partitionsCount;
  }

  /** Whether no shard makes a snapshot archive: then this one does, until it says `endSnapshot`. */
  beginSnapshot(): boolean {
    return Atomics.compareExchange(this.#process, ProcessField.isSnapshotUnderWay, 0, 1) === 0;
  }

  endSnapshot(): void {
    Atomics.store(this.#process, ProcessField.isSnapshotUnderWay, 0);
  }

  /** Unique among the clients of this process; 0 is never given. */
  nextClientId(): number {
    for (;;) {
      const clientId = (Atomics.add(this.#process, ProcessField.nextClientId, 1) + 1) >>> 0;
      if (clientId !== 0) return clientId;
    }
  }
}
