// What a shard does with requests for partitions that it owns, wherever they come from. The place of a request is a number
// that can be given to another partition while the request is under way, so what a request leads to later (a commit after a
// slow read, a batch that waited for its turn) is done only to the partition that was meant.
import { findPartition, type MetadataState } from "../metadata/index.ts";
import { assert } from "../platform/assert.ts";
import { IggyError } from "../protocol/errors.ts";
import {
  type BatchKernel,
  type ConsumerKey,
  type IncomingBatch,
  JsBatchKernel,
  type Partition,
  type ReadResult,
  WasmBatchKernel,
} from "../storage/index.ts";
import type { GroupOwner } from "./group-owner.ts";
import type { LocalPartitions } from "./local-partitions.ts";
import type {
  BatchPosition,
  Forwarded,
  OffsetReply,
  OffsetRequest,
  ReadReply,
  ReadRequest,
  ReplyPart,
} from "./messages.ts";
import { splitPartitionKey } from "./placement.ts";

export interface PartitionOwnerOptions {
  readonly state: MetadataState;
  readonly partitions: LocalPartitions;
  readonly groups: GroupOwner;
  /** The arena of every shard, this one's included. */
  readonly memories: readonly WebAssembly.Memory[];
  /** 32 random bytes for the message ids of one kernel. */
  readonly makeSeed: () => Uint8Array;
}

/** What is common to requests for a partition. */
interface MeantRequest {
  readonly partitionKey: number;
  readonly consumer?: ConsumerKey;
  readonly memberClientId?: number | undefined;
}

export class PartitionOwner {
  readonly #options: PartitionOwnerOptions;
  readonly #kernels: (WasmBatchKernel | undefined)[];
  readonly #arenaViews: Uint8Array[] = [];
  readonly #leases = new Map<number, ReadResult>();
  #nextLeaseId = 1;

  constructor(options: PartitionOwnerOptions) {
    this.#options = options;
    this.#kernels = options.memories.map(() => undefined);
  }

  /** Kernel over the arena of a shard, or over memory of a frame's own. */
  kernel(arenaShardId: number, large: SharedArrayBuffer | undefined): BatchKernel {
    if (large !== undefined) return new JsBatchKernel(new Uint8Array(large), this.#options.makeSeed());
    const known = this.#kernels[arenaShardId];
    if (known !== undefined) return known;
    const kernel = WasmBatchKernel.create(this.#options.memories[arenaShardId]!, this.#options.makeSeed());
    this.#kernels[arenaShardId] = kernel;
    return kernel;
  }

  /** When the partition was created, which tells it from one that had its number before; undefined: there is none. */
  createdAtMicros(partitionKey: number): number | undefined {
    const { streamId, topicId, partitionId } = splitPartitionKey(partitionKey);
    const topic = this.#options.state.streams.byId.get(streamId)?.topics.byId.get(topicId);
    return topic && findPartition(topic, partitionId)?.createdAtMicros;
  }

  /**
   * Throws where another partition has the number than that which the other shard meant: PartitionNotFound (3007), for a
   * member of a group NotResolvedConsumer (3022), as it would if the partition were not yet made anew.
   */
  requireMeant({ partitionKey, createdAtMicros, memberClientId, consumer }: Forwarded<MeantRequest>): void {
    if (this.createdAtMicros(partitionKey) === createdAtMicros) return;
    if (memberClientId !== undefined) throw new IggyError("NotResolvedConsumer", [consumer?.id ?? 0]);
    const { streamId, topicId, partitionId } = splitPartitionKey(partitionKey);
    throw new IggyError("PartitionNotFound", [partitionId, topicId, streamId]);
  }

  /** Rejects where there is no such partition, or its files cannot be opened; never throws. */
  append(
    partitionKey: number,
    arenaShardId: number,
    large: SharedArrayBuffer | undefined,
    place: BatchPosition,
  ): Promise<void> {
    // Not `async`, which would cost each send a promise more.
    try {
      const partition = this.#options.partitions.require(partitionKey, "CannotAppendToFile");
      return partition.append(this.#batchAt(arenaShardId, large, place));
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  /** As `append`; resolves with the offset of the first message. */
  async appendAt(
    partitionKey: number,
    arenaShardId: number,
    large: SharedArrayBuffer | undefined,
    place: BatchPosition,
  ): Promise<number> {
    const partition = this.#options.partitions.require(partitionKey, "CannotAppendToFile");
    const batch = this.#batchAt(arenaShardId, large, place);
    await partition.append(batch);
    assert(batch.firstOffset !== undefined, "an append says where its messages are");
    return batch.firstOffset;
  }

  #batchAt(arenaShardId: number, large: SharedArrayBuffer | undefined, place: BatchPosition): IncomingBatch {
    const { rowsPosition, messagesCount, messagesPosition, messagesSizeBytes } = place;
    const end = messagesPosition + messagesSizeBytes;
    return {
      kernel: this.kernel(arenaShardId, large),
      memory: large === undefined ? this.#arenaView(arenaShardId, end) : new Uint8Array(large),
      rowsPosition,
      messagesCount,
      messagesPosition,
      messagesSizeBytes,
    };
  }

  /** A view of a whole arena; made anew only when the arena has grown past it. */
  #arenaView(shardId: number, end: number): Uint8Array {
    const known = this.#arenaViews[shardId];
    if (known !== undefined && known.byteLength >= end) return known;
    const view = new Uint8Array(this.#options.memories[shardId]!.buffer);
    this.#arenaViews[shardId] = view;
    return view;
  }

  read(request: ReadRequest): ReadResult | Promise<ReadResult> {
    const { partitionKey, from, countMax, autoCommit, consumer, memberClientId, isFenced } = request;
    const { partitions, groups } = this.#options;
    if (memberClientId !== undefined)
      groups.requireServed(partitionKey, consumer.id, memberClientId, isFenced === true);
    const partition = partitions.require(partitionKey);
    const result = partition.read(from, countMax, request.bytesMax);
    if (!autoCommit && memberClientId === undefined) return result;
    if (!(result instanceof Promise)) return this.#note(request, partition, result);
    const group = groups.find(partitionKey, consumer);
    return result.then((read) => {
      // A purge or a deletion came between. The read was before it, and so was its commit, of which nothing is left.
      const isOver = partitions.find(partitionKey) !== partition || partition.epoch !== read.epoch;
      if (isOver || groups.find(partitionKey, consumer) !== group) return read;
      return this.#note(request, partition, read);
    });
  }

  /** What a read leaves behind; before the reply, and only if it has messages (spec SB 4.7). */
  #note(request: ReadRequest, partition: Partition, read: ReadResult): ReadResult | Promise<ReadResult> {
    const { partitionKey, autoCommit, consumer, memberClientId, isFenced } = request;
    const { groups } = this.#options;
    if (read.messagesCount + read.skippedCount === 0) return read;
    try {
      if (memberClientId !== undefined) {
        // A read from the disk takes time.
        groups.requireServed(partitionKey, consumer.id, memberClientId, isFenced === true);
        groups.polled(partitionKey, consumer.id, memberClientId, read.lastOffset);
      }
      if (autoCommit) {
        partition.storeOffset(consumer, read.lastOffset, read.epoch);
        const moved = memberClientId === undefined ? undefined : groups.committed(partitionKey, consumer.id);
        const awaited = both(moved, partition.offsetsDurable());
        if (awaited !== undefined) return releasedUnless(awaited, read);
      }
    } catch (error) {
      read.release();
      throw error;
    }
    return read;
  }

  offset(request: OffsetRequest): OffsetReply | Promise<OffsetReply> {
    const { partitionKey, consumer, memberClientId } = request;
    const { partitions, groups } = this.#options;
    if (memberClientId !== undefined) groups.requireOwned(partitionKey, consumer.id, memberClientId);
    const partition = partitions.require(partitionKey);
    let awaited: Promise<unknown> | undefined;
    if (request.operation === "store") {
      partition.storeOffset(consumer, request.offset);
      const moved = memberClientId === undefined ? undefined : groups.committed(partitionKey, consumer.id);
      awaited = both(moved, partition.offsetsDurable());
    }
    if (request.operation === "delete") {
      partition.deleteOffset(consumer);
      awaited = partition.offsetsDurable();
    }
    const reply = {
      currentOffset: partition.counters.currentOffset,
      storedOffset: partition.getOffset(consumer),
    };
    return awaited === undefined ? reply : awaited.then(() => reply);
  }

  /** Keeps the files of a read open until the other shard has sent them. */
  lease(result: ReadResult): ReadReply {
    const parts = result.parts.map(toReplyPart);
    const { currentOffset, messagesCount, epoch, sizeBytes } = result;
    const reply = { currentOffset, messagesCount, lastOffset: lastOffsetOf(result), epoch, sizeBytes, parts };
    if (!parts.some((part) => part.kind === "file")) {
      result.release();
      return { ...reply, leaseId: 0 };
    }
    const leaseId = this.#nextLeaseId++;
    this.#leases.set(leaseId, result);
    return { ...reply, leaseId };
  }

  release(leaseId: number): void {
    this.#leases.get(leaseId)?.release();
    this.#leases.delete(leaseId);
  }
}

/** Where a reader goes on behind; -1: nothing was read. */
export function lastOffsetOf({ messagesCount, skippedCount, lastOffset }: ReadResult): number {
  return messagesCount + skippedCount > 0 ? lastOffset : -1;
}

export function toReplyPart(part: ReadResult["parts"][number]): ReplyPart {
  if (part.kind === "bytes") return part;
  const { file, position, sizeBytes } = part;
  if (file.fd < 0) return { kind: "bytes", bytes: readWhole(part) };
  return { kind: "file", fd: file.fd, position, sizeBytes };
}

/** Of a disk without descriptors, such as one in memory. */
function readWhole({ file, position, sizeBytes }: Extract<ReadResult["parts"][number], { kind: "file" }>): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const readBytes = file.read(bytes, position);
  assert(readBytes === sizeBytes, "what is read is in its file", { position, sizeBytes, readBytes });
  return bytes;
}

/** For both, whichever there is: nearly always neither. */
function both(first: Promise<void> | undefined, second: Promise<void> | undefined): Promise<unknown> | undefined {
  return first === undefined || second === undefined ? (first ?? second) : Promise.all([first, second]);
}

/** The read when `awaited` resolves; where it rejects nobody will release the read. */
async function releasedUnless(awaited: Promise<unknown>, read: ReadResult): Promise<ReadResult> {
  try {
    await awaited;
  } catch (error) {
    read.release();
    throw error;
  }
  return read;
}
