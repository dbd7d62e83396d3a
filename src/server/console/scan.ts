// One look through a part of a partition for a search of the console: the broker reads what the page would have to, and sends only
// what has the words or headers that are looked for. The page matches what comes once more, and asks for the next part.
import { findPartition, requireTopic } from "../../metadata/index.ts";
import { type ScanArgs, type Scanned, scanBounds } from "../../protocol/console/live.ts";
import { IggyError } from "../../protocol/errors.ts";
import { nameId } from "../../protocol/identifier.ts";
import { PollReplyLayout, pollReplyHeadBytes } from "../../protocol/message-layout.ts";
import { partitionKeyOf, type Shard } from "../../shard/index.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import { filterOf, forEachMessage, type MessageFilter } from "./message-filter.ts";
import { lastOffsetOf, nobody, pollReplyOf } from "./poll-reply.ts";
import type { Channel } from "./tail.ts";

export interface ScanReader {
  /** The payload of a reply to poll messages. */
  found(payload: Uint8Array): void;
  scanned(scanned: Scanned): void;
  failed(error: unknown): void;
}

/** Looks at once, of all pages: who comes then is refused, and polls. */
export class ScanSlots {
  #running = 0;

  /** Throws InvalidCommand (3) where all are taken. */
  take(): void {
    if (this.#running >= scanBounds.running) throw new IggyError("InvalidCommand");
    this.#running++;
  }

  free(): void {
    this.#running--;
  }
}

/** One turn: a millisecond or two, for what a filter does in it. */
const turnMessagesMax = 500;
const turnBytesMax = 256 * 1024;
/** Behind each turn so many times as long for everything else. */
const restTurns = 3;

export class Scan implements Channel {
  readonly #shard: Shard;
  readonly #session: Session;
  readonly #streamId: number;
  readonly #topicId: number;
  readonly #args: ScanArgs;
  readonly #filter: MessageFilter;
  readonly #found: Uint8Array[] = [];
  #foundBytes = 0;
  #isOver = false;

  /** Errors: 1009, 2010, 41, 3007; InvalidCommand (3) where there are too many. */
  constructor(shard: Shard, session: Session, slots: ScanSlots, args: ScanArgs, reader: ScanReader) {
    const { stream, topic } = requireTopic(shard.state, nameId(args.stream), nameId(args.topic));
    this.#shard = shard;
    this.#session = session;
    this.#streamId = stream.id;
    this.#topicId = topic.id;
    this.#args = args;
    this.#filter = filterOf(args.all);
    this.recheck();
    slots.take();
    this.#run()
      .then(
        (scanned) => {
          if (this.#isOver) return;
          if (this.#found.length > 0) reader.found(this.#reply());
          reader.scanned(scanned);
        },
        (error: unknown) => {
          if (!this.#isOver) reader.failed(error);
        },
      )
      .finally(() => slots.free());
  }

  credit(): void {
    // One look has one answer, which is bounded.
  }

  drained(): void {
    // As above.
  }

  recheck(): void {
    const { partition } = this.#args;
    const topic = this.#shard.state.streams.byId.get(this.#streamId)?.topics.byId.get(this.#topicId);
    if (topic === undefined) throw new IggyError("TopicIdNotFound", [this.#topicId, this.#streamId]);
    requireRight(this.#shard, this.#session, "pollMessages", this.#streamId, this.#topicId);
    if (findPartition(topic, partition) === undefined) {
      throw new IggyError("PartitionNotFound", [partition, this.#topicId, this.#streamId]);
    }
  }

  close(): void {
    this.#isOver = true;
  }

  async #run(): Promise<Scanned> {
    const [first, end] = [Number(this.#args.from), Number(this.#args.to)];
    const state = { scanned: 0, bytes: 0, next: first, firstMicros: 0n, lastMicros: 0n };
    while (!this.#isOver && state.next <= end && !this.#isFull(state)) {
      const reply = await this.#read(state.next, Math.min(turnMessagesMax, end - state.next + 1));
      if (reply === undefined) break;
      const startedMs = performance.now();
      forEachMessage(reply, (message) => {
        const offset = Number(message.offset);
        if (offset > end) return;
        if (state.scanned === 0) state.firstMicros = message.timestampMicros;
        state.lastMicros = message.timestampMicros;
        state.scanned++;
        state.bytes += message.payload.length + message.userHeaders.length;
        state.next = offset + 1;
        if (!this.#filter(message)) return;
        this.#found.push(message.whole);
        this.#foundBytes += message.whole.length;
      });
      if (lastOffsetOf(reply) > end) break; // what is behind a gap
      const restMs = (performance.now() - startedMs) * restTurns;
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
    const { scanned, bytes, next, firstMicros, lastMicros } = state;
    return { scanned, bytes, next: String(next), firstMicros: String(firstMicros), lastMicros: String(lastMicros) };
  }

  #isFull({ scanned, bytes }: { readonly scanned: number; readonly bytes: number }): boolean {
    const { messages, bytes: bytesMax, foundBytes } = scanBounds;
    return scanned >= messages || bytes >= bytesMax || this.#foundBytes >= foundBytes;
  }

  /** Undefined: there is nothing from there on. */
  async #read(offset: number, count: number): Promise<Uint8Array | undefined> {
    const { partition } = this.#args;
    const read = await this.#shard.read({
      partitionKey: partitionKeyOf(this.#streamId, this.#topicId, partition),
      from: { kind: "offset", offset },
      countMax: count,
      bytesMax: turnBytesMax,
      autoCommit: false,
      consumer: nobody,
      memberClientId: undefined,
      isFenced: false,
    });
    try {
      return read.messagesCount === 0 ? undefined : pollReplyOf(partition, read);
    } finally {
      read.release();
    }
  }

  /** What was found, as the reply of a poll has it. */
  #reply(): Uint8Array {
    const reply = new Uint8Array(pollReplyHeadBytes + this.#foundBytes);
    const view = new DataView(reply.buffer);
    view.setUint32(PollReplyLayout.partitionId, this.#args.partition, true);
    view.setUint32(PollReplyLayout.messagesCount, this.#found.length, true);
    let position: number = pollReplyHeadBytes;
    for (const message of this.#found) {
      reply.set(message, position);
      position += message.length;
    }
    return reply;
  }
}
