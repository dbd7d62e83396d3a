// A range of a topic as a file: partition by partition, in the order of the offsets. It ends where the partitions ended when it
// began, and reads on only when what it has given is taken.
import { findPartition, requireTopic, type Topic } from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import { nameId } from "../../protocol/identifier.ts";
import { decodePolledMessages, type PolledMessage } from "../../protocol/message/poll-messages.ts";
import { messageHeaderBytes, pollReplyHeadBytes } from "../../protocol/message-layout.ts";
import { messageLine } from "../../protocol/message-line.ts";
import { partitionKeyOf, type Shard } from "../../shard/index.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import { nobody, pollReplyOf } from "./poll-reply.ts";

/** An offset, or a time of the broker. */
export type ExportBound =
  | { readonly kind: "offset"; readonly offset: number }
  | { readonly kind: "time"; readonly micros: number };

export type ExportArgs = {
  readonly stream: string;
  readonly topic: string;
  /** Undefined: all. */
  readonly partitionId: number | undefined;
  /** First message; undefined: the first there is. */
  readonly from: ExportBound | undefined;
  /** Last offset, or the time before which the last message was stored; undefined: the last there is. */
  readonly to: ExportBound | undefined;
  /** `raw`: the messages one after the other, as in a segment (spec BP 3.7). */
  readonly format: "ndjson" | "raw";
};

type Place = { readonly partitionId: number; next: ExportBound; readonly last: number };

const batchMessagesMax = 1000;
const batchBytesMax = 256 * 1024;
const nothing = new Uint8Array(0);

export class Export {
  readonly #shard: Shard;
  readonly #session: Session;
  readonly #args: ExportArgs;
  readonly #streamId: number;
  readonly #topicId: number;
  /** Partitions that are not done. */
  readonly #places: Place[];

  /** Errors: 1009, 2010, 41, 3007. */
  constructor(shard: Shard, session: Session, args: ExportArgs) {
    const { stream, topic } = requireTopic(shard.state, nameId(args.stream), nameId(args.topic));
    this.#shard = shard;
    this.#session = session;
    this.#args = args;
    this.#streamId = stream.id;
    this.#topicId = topic.id;
    const ids = args.partitionId === undefined ? topic.partitions.map((_, id) => id) : [args.partitionId];
    this.#recheck(ids[0]);
    const first = args.from ?? { kind: "offset", offset: 0 };
    this.#places = ids.flatMap((partitionId): Place[] => {
      const { hasMessages, currentOffset } = shard.counters.partition(partitionKeyOf(stream.id, topic.id, partitionId));
      const end = args.to?.kind === "offset" ? Math.min(args.to.offset, currentOffset) : currentOffset;
      const isEmpty = !hasMessages || (first.kind === "offset" && first.offset > end);
      return isEmpty ? [] : [{ partitionId, next: first, last: end }];
    });
  }

  /** The next bytes; undefined: that was all. Rejects with 41, 1009, 2010 or 3007 where they may not be read any more. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const [place] = this.#places;
      if (place === undefined) return undefined;
      this.#recheck(place.partitionId);
      const bytes = await this.#readAt(place);
      if (bytes.length > 0) return bytes;
    }
  }

  /** The same topic and not one that has its number or name by now, and the right to poll it. */
  #recheck(partitionId: number | undefined): Topic {
    const topic = this.#shard.state.streams.byId.get(this.#streamId)?.topics.byId.get(this.#topicId);
    if (topic === undefined || topic.name !== this.#args.topic) {
      throw new IggyError("TopicIdNotFound", [this.#topicId, this.#streamId]);
    }
    requireRight(this.#shard, this.#session, "pollMessages", this.#streamId, this.#topicId);
    if (partitionId !== undefined && findPartition(topic, partitionId) === undefined) {
      throw new IggyError("PartitionNotFound", [partitionId, this.#topicId, this.#streamId]);
    }
    return topic;
  }

  /** Moves the place on, or takes it from the list where it ends. */
  async #readAt(place: Place): Promise<Uint8Array> {
    const { partitionId, next, last } = place;
    const read = await this.#shard.read({
      partitionKey: partitionKeyOf(this.#streamId, this.#topicId, partitionId),
      from:
        next.kind === "offset"
          ? { kind: "offset", offset: next.offset }
          : { kind: "timestamp", timestampMicros: next.micros },
      countMax: batchMessagesMax,
      bytesMax: batchBytesMax,
      autoCommit: false,
      consumer: nobody,
      memberClientId: undefined,
      isFenced: false,
    });
    let reply: Uint8Array;
    try {
      reply = read.messagesCount === 0 ? nothing : pollReplyOf(partitionId, read);
    } finally {
      read.release();
    }
    const messages = reply.length === 0 ? [] : decodePolledMessages(reply).messages;
    const wanted = messages.filter((message) => isBefore(message, last, this.#args.to));
    const lastRead = messages.at(-1);
    if (lastRead === undefined || wanted.length < messages.length || Number(lastRead.offset) >= last) {
      this.#places.shift();
    } else {
      place.next = { kind: "offset", offset: Number(lastRead.offset) + 1 };
    }
    return this.#args.format === "raw" ? rawOf(reply, wanted) : linesOf(partitionId, wanted);
  }
}

function isBefore({ offset, timestampMicros }: PolledMessage, last: number, to: ExportBound | undefined): boolean {
  return Number(offset) <= last && (to?.kind !== "time" || Number(timestampMicros) < to.micros);
}

function linesOf(partitionId: number, messages: readonly PolledMessage[]): Uint8Array {
  return new TextEncoder().encode(messages.map((message) => messageLine(partitionId, message)).join(""));
}

/** They are the first of those in the reply. */
function rawOf(reply: Uint8Array, messages: readonly PolledMessage[]): Uint8Array {
  const headBytes = reply.length === 0 ? 0 : pollReplyHeadBytes;
  const sizeBytes = messages.reduce(
    (sum, { payload, userHeaders }) => sum + messageHeaderBytes + payload.length + userHeaders.length,
    0,
  );
  return reply.subarray(headBytes, headBytes + sizeBytes);
}
