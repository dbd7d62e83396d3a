// Messages of some partitions of a topic as they come, for one reader of the console. A partition is read when its owner says
// that there is something new, and only while the reader has credit and takes what it gets: a reader that is slow or looks away
// costs nothing, and gets the newest messages when it is back, with word of what it does not get.

import { findPartition, requireTopic } from "../../metadata/index.ts";
import { liveLimits, type TailArgs } from "../../protocol/console/live.ts";
import { IggyError } from "../../protocol/errors.ts";
import { nameId } from "../../protocol/identifier.ts";
import { type PartitionChange, partitionKeyOf, type Shard, Watch, type Watcher } from "../../shard/index.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import { lastOffsetOf, nobody, pollReplyOf } from "./poll-reply.ts";

/** What a channel of the console can do. */
export interface Channel {
  /** So many more batches may come. */
  credit(count: number): void;
  /** The socket takes more again. */
  drained(): void;
  /** The metadata have changed: throws where the reader may not have it any more. */
  recheck(): void;
  close(): void;
}

/** Where a tail goes. */
export interface TailReader {
  /** Whether the socket takes more. */
  readonly takesMore: boolean;
  /** The payload of a reply to poll messages. */
  batch(payload: Uint8Array): void;
  /** Offsets that are left out. */
  skipped(partitionId: number, from: number, to: number): void;
  purged(partitionId: number): void;
  failed(error: unknown): void;
}

const batchMessagesMax = 500;
const batchBytesMax = 256 * 1024;
/** More than a page keeps: who is so far behind goes on with the newest. */
const behindMax = 2000;

class TailPlace extends Watch {
  readonly partitionId: number;
  /** Offset that comes next. */
  nextOffset: number;

  constructor(partitionKey: number, tail: Watcher, partitionId: number, nextOffset: number) {
    super(partitionKey, tail);
    this.partitionId = partitionId;
    this.nextOffset = nextOffset;
  }
}

export class Tail implements Channel, Watcher {
  readonly #shard: Shard;
  readonly #session: Session;
  readonly #reader: TailReader;
  readonly #streamId: number;
  readonly #topicId: number;
  readonly #places: readonly TailPlace[];
  /** To be read, in order. */
  readonly #due: Set<TailPlace>;
  #credit = 0;
  #isReading = false;
  #isOver = false;

  /** Errors: 1009, 2010, 41, 3007; InvalidCommand (3) for more partitions than a tail has. */
  constructor(shard: Shard, session: Session, args: TailArgs, reader: TailReader) {
    const { stream, topic } = requireTopic(shard.state, nameId(args.stream), nameId(args.topic));
    this.#shard = shard;
    this.#session = session;
    this.#reader = reader;
    this.#streamId = stream.id;
    this.#topicId = topic.id;
    const ids = args.partitions ?? topic.partitions.map((_, partitionId) => partitionId);
    if (ids.length > liveLimits.partitions) throw new IggyError("InvalidCommand");
    this.#places = [...new Set(ids)].map((partitionId) => {
      const key = partitionKeyOf(stream.id, topic.id, partitionId);
      return new TailPlace(key, this, partitionId, 0);
    });
    this.recheck();
    for (const place of this.#places) place.nextOffset = this.#startOf(place, args.from?.[String(place.partitionId)]);
    this.#due = new Set(this.#places);
  }

  credit(count: number): void {
    this.#credit = Math.min(this.#credit + count, liveLimits.credit);
    void this.#readDue();
  }

  drained(): void {
    void this.#readDue();
  }

  recheck(): void {
    const { state } = this.#shard;
    const stream = state.streams.byId.get(this.#streamId);
    const topic = stream?.topics.byId.get(this.#topicId);
    if (stream === undefined) throw new IggyError("StreamIdNotFound", [this.#streamId]);
    if (topic === undefined) throw new IggyError("TopicIdNotFound", [this.#topicId, this.#streamId]);
    requireRight(this.#shard, this.#session, "pollMessages", this.#streamId, this.#topicId);
    for (const { partitionId } of this.#places) {
      if (findPartition(topic, partitionId) !== undefined) continue;
      throw new IggyError("PartitionNotFound", [partitionId, this.#topicId, this.#streamId]);
    }
  }

  close(): void {
    this.#isOver = true;
    for (const place of this.#places) this.#shard.watches.close(place);
  }

  changed(place: Watch, change: PartitionChange): void {
    if (this.#isOver || !(place instanceof TailPlace)) return;
    if (change === "purged") {
      place.nextOffset = 0;
      this.#reader.purged(place.partitionId);
    }
    this.#due.add(place);
    void this.#readDue();
  }

  #startOf({ partitionKey }: TailPlace, asked: string | undefined): number {
    const offset = Number(asked ?? Number.NaN);
    if (Number.isSafeInteger(offset) && offset >= 0) return offset;
    const { hasMessages, currentOffset } = this.#shard.counters.partition(partitionKey);
    return hasMessages ? currentOffset + 1 : 0;
  }

  async #readDue(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (!this.#isOver && this.#credit > 0 && this.#reader.takesMore) {
        const [place] = this.#due;
        if (place === undefined) break;
        this.#due.delete(place);
        await this.#readAt(place);
      }
    } catch (error) {
      if (!this.#isOver) {
        this.close();
        this.#reader.failed(error);
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** The watch comes first: what the read does not see, the watch tells. */
  async #readAt(place: TailPlace): Promise<void> {
    this.#shard.watches.open(place);
    this.#skipFrom(place);
    const read = await this.#shard.read({
      partitionKey: place.partitionKey,
      from: { kind: "offset", offset: place.nextOffset },
      countMax: batchMessagesMax,
      bytesMax: batchBytesMax,
      autoCommit: false,
      consumer: nobody,
      memberClientId: undefined,
      isFenced: false,
    });
    try {
      if (this.#isOver || read.messagesCount === 0) return;
      const payload = pollReplyOf(place.partitionId, read);
      place.nextOffset = lastOffsetOf(payload) + 1;
      this.#credit--;
      this.#due.add(place); // there may be more
      this.#reader.batch(payload);
    } finally {
      read.release();
    }
  }

  #skipFrom(place: TailPlace): void {
    const { currentOffset } = this.#shard.counters.partition(place.partitionKey);
    if (currentOffset - place.nextOffset < behindMax) return;
    const next = currentOffset - batchMessagesMax + 1;
    this.#reader.skipped(place.partitionId, place.nextOffset, next - 1);
    place.nextOffset = next;
  }
}
