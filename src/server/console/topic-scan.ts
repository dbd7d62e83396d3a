// What was sent to each topic since the last look, out of the counters that all shards share: nobody who sends or polls is asked
// or slowed. A look takes turns of some partitions each, so that it never holds the event loop up.
import { type Counters, partitionKeyOf, type Shard } from "../../shard/index.ts";

export interface TopicActivity {
  readonly streamId: number;
  readonly topicId: number;
  readonly createdAtMicros: number;
  /** Since the last look; NaN where there was none. */
  readonly newMessages: number;
  readonly newBytes: number;
  readonly sizeBytes: number;
}

interface Seen {
  readonly createdAtMicros: number;
  readonly appendedCount: number;
  readonly messagesCount: number;
  readonly sizeBytes: number;
}

const partitionsPerTurn = 2000;
const unknown = { newMessages: Number.NaN, newBytes: Number.NaN };

export class TopicScan {
  readonly #shard: Shard;
  /** Undefined before the first look. */
  #seen: Map<string, Seen> | undefined;

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  /** Tells of every topic; resolves with the time that it took of the event loop, ms. */
  async run(tell: (topic: TopicActivity) => void): Promise<number> {
    const { state, counters } = this.#shard;
    const places = [...state.streams.byId.values()].flatMap(({ id, topics }) =>
      [...topics.byId.keys()].map((topicId) => [id, topicId] as const),
    );
    const seen = new Map<string, Seen>();
    let takenMs = 0;
    let startedMs = performance.now();
    let partitionsLeft = partitionsPerTurn;
    for (const [streamId, topicId] of places) {
      const topic = state.streams.byId.get(streamId)?.topics.byId.get(topicId);
      if (topic === undefined) continue; // deleted between two turns
      const key = `${streamId}/${topicId}`;
      const { createdAtMicros, partitions } = topic;
      const now = { createdAtMicros, ...totalsOf(counters, streamId, topicId, partitions.length) };
      const isFirst = this.#seen === undefined;
      const activity = activityOf(now, this.#seen?.get(key));
      seen.set(key, now);
      tell({ streamId, topicId, ...activity, ...(isFirst ? unknown : {}) });
      partitionsLeft -= partitions.length;
      if (partitionsLeft > 0) continue;
      takenMs += performance.now() - startedMs;
      await new Promise<void>((resolve) => setImmediate(resolve));
      startedMs = performance.now();
      partitionsLeft = partitionsPerTurn;
    }
    this.#seen = seen;
    return takenMs + performance.now() - startedMs;
  }
}

function totalsOf(counters: Counters, streamId: number, topicId: number, partitionsCount: number) {
  let appendedCount = 0;
  let messagesCount = 0;
  let sizeBytes = 0;
  for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
    const partition = counters.partition(partitionKeyOf(streamId, topicId, partitionId));
    if (partition.hasMessages) appendedCount += partition.currentOffset + 1;
    messagesCount += partition.messagesCount;
    sizeBytes += partition.sizeBytes;
  }
  return { appendedCount, messagesCount, sizeBytes };
}

/** A topic that is new since the last look began empty; one that was purged begins anew. */
function activityOf(now: Seen, before: Seen | undefined): Omit<TopicActivity, "streamId" | "topicId"> {
  const { createdAtMicros, sizeBytes } = now;
  const isSame = before?.createdAtMicros === createdAtMicros;
  const newMessages = Math.max(0, now.appendedCount - (isSame ? before.appendedCount : 0));
  return {
    createdAtMicros,
    newMessages,
    newBytes: newBytesOf(now, isSame ? before : undefined, newMessages),
    sizeBytes,
  };
}

/** Exact while nothing is removed meanwhile; otherwise by the mean size of the messages that are there. */
function newBytesOf(now: Seen, before: Seen | undefined, newMessages: number): number {
  const isWhole = now.messagesCount - (before?.messagesCount ?? 0) === newMessages;
  if (isWhole) return Math.max(0, now.sizeBytes - (before?.sizeBytes ?? 0));
  return now.messagesCount === 0 ? 0 : (newMessages * now.sizeBytes) / now.messagesCount;
}
