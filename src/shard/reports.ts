// What a shard tells of the partitions that it owns to somebody who looks: one question, one message to each shard, and answers
// that are plain data of a bounded size. It reads what is there anyway and changes nothing. Long lists are gone through in turns,
// so that they hold up nobody.
import type { MetadataState } from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import type { ConsumerKey, GroupView, Partition, PartitionView, SegmentHolder, SegmentView } from "../storage/index.ts";
import type { LocalPartitions } from "./local-partitions.ts";
import { ownerShardOf, partitionKeyOf } from "./placement.ts";
import { nextTurn } from "./retention.ts";

/** Partitions of a group that are looked at in one turn. */
const lagsPerTurn = 2000;

export interface TopicQuestion {
  readonly streamId: number;
  readonly topicId: number;
  /** Partitions from this one on, up to `endPartition` (exclusive). */
  readonly firstPartition: number;
  readonly endPartition: number;
}

export interface GroupQuestion extends TopicQuestion {
  readonly groupId: number;
}

export interface OffsetsQuestion extends TopicQuestion {
  /** Consumers and groups behind this one, in the order of `compareConsumers`; undefined: from the first on. */
  readonly after: ConsumerKey | undefined;
  readonly countMax: number;
}

export interface SegmentsQuestion {
  readonly partitionKey: number;
  /** Those that start behind this offset; -1: all. */
  readonly afterOffset: number;
  readonly countMax: number;
}

export interface PartitionReport {
  readonly partitionId: number;
  readonly shardId: number;
  readonly firstOffset: number;
  readonly endOffset: number;
  /** When the oldest message was stored, µs; undefined where there is none, or the index of its segment cannot be read. */
  readonly oldestMicros: number | undefined;
  /** `fenced`: it takes no messages; `closed`: its files cannot be opened. */
  readonly condition: "open" | "fenced" | "closed";
}

export interface GroupPartitionReport extends GroupView {
  readonly partitionId: number;
  readonly firstOffset: number;
  readonly endOffset: number;
  /** Messages behind the stored offset that are there. */
  readonly lag: number;
  /** When the oldest message that the group has not committed was stored, µs; undefined as in `PartitionReport`. */
  readonly unreadMicros: number | undefined;
}

export interface PartitionOffsetsReport {
  readonly partitionId: number;
  readonly endOffset: number;
  readonly stored: readonly (ConsumerKey & { readonly storedOffset: number })[];
  /** Who keeps segments that were to be removed. */
  readonly holder: SegmentHolder | undefined;
}

/** Numbers of one row of the lags of groups: what the group is, then what there is of it on one shard. */
export const lagRow = { streamId: 0, topicId: 1, groupId: 2, lag: 3, storedAtMicros: 4, width: 5 } as const;

/** What can be asked, and what comes back. */
export interface Reports {
  /** Rows of `lagRow`, for every group of which this shard owns a partition. `storedAtMicros`: of the latest store, 0: not known. */
  lags: { question: undefined; answer: Float64Array };
  group: { question: GroupQuestion; answer: readonly GroupPartitionReport[] };
  partitions: { question: TopicQuestion; answer: readonly PartitionReport[] };
  offsets: { question: OffsetsQuestion; answer: readonly PartitionOffsetsReport[] };
  /** Undefined: the partition is not here, or cannot be opened. */
  segments: { question: SegmentsQuestion; answer: readonly SegmentView[] | undefined };
}

export type ReportKind = keyof Reports;
export type ReportRequest = {
  readonly [K in ReportKind]: { readonly kind: K; readonly question: Reports[K]["question"] };
}[ReportKind];
export type ReportReply = Reports[ReportKind]["answer"];

export interface ReporterOptions {
  readonly shardId: number;
  readonly shardCount: number;
  readonly state: MetadataState;
  readonly partitions: Pick<LocalPartitions, "find">;
}

type Answers = {
  readonly [K in ReportKind]: (
    question: Reports[K]["question"],
  ) => Reports[K]["answer"] | Promise<Reports[K]["answer"]>;
};

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #answers: Answers = {
    lags: () => this.#lags(),
    group: (question) => this.#group(question),
    partitions: (question) => this.#partitions(question),
    offsets: (question) => this.#offsets(question),
    segments: ({ partitionKey, afterOffset, countMax }) =>
      this.#options.partitions.find(partitionKey)?.view.segments(afterOffset, countMax),
  };

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Errors: those of a disk that cannot be read, for segments only. */
  answer({ kind, question }: ReportRequest): ReportReply | Promise<ReportReply> {
    const answer = this.#answers[kind] as (question: unknown) => ReportReply | Promise<ReportReply>;
    return answer(question);
  }

  async #lags(): Promise<Float64Array> {
    const numbers: number[] = [];
    let looked = 0;
    for (const { id: streamId, topics } of this.#options.state.streams.byId.values()) {
      for (const { id: topicId, groups, partitions } of topics.byId.values()) {
        if (groups.byId.size === 0) continue;
        const sums = new Map<number, { lag: number; storedAtMicros: number }>();
        for (let partitionId = 0; partitionId < partitions.length; partitionId++) {
          const partition = this.#own(streamId, topicId, partitionId);
          if (partition === undefined) continue;
          const { view } = partition;
          for (const groupId of groups.byId.keys()) {
            const { storedOffset, storedAtMicros = 0 } = view.group(groupId);
            const sum = sums.get(groupId) ?? { lag: 0, storedAtMicros: 0 };
            sum.lag += lagOf(view, storedOffset);
            sum.storedAtMicros = Math.max(sum.storedAtMicros, storedAtMicros);
            sums.set(groupId, sum);
          }
          looked += groups.byId.size;
          if (looked < lagsPerTurn) continue;
          looked = 0;
          await nextTurn();
        }
        for (const [groupId, { lag, storedAtMicros }] of sums) {
          numbers.push(streamId, topicId, groupId, lag, storedAtMicros);
        }
      }
    }
    return Float64Array.from(numbers);
  }

  #group({ groupId, ...question }: GroupQuestion): readonly GroupPartitionReport[] {
    return this.#ofTopic(question).map(([partitionId, { view }]) => {
      const group = view.group(groupId);
      const { firstOffset, endOffset } = view;
      const unread = Math.max(firstOffset, group.storedOffset === undefined ? 0 : group.storedOffset + 1);
      return {
        partitionId,
        firstOffset,
        endOffset,
        ...group,
        lag: lagOf(view, group.storedOffset),
        unreadMicros: timestampAt(view, unread),
      };
    });
  }

  #partitions(question: TopicQuestion): readonly PartitionReport[] {
    const { shardId } = this.#options;
    return this.#ownIds(question).map((partitionId) => {
      const partition = this.#own(question.streamId, question.topicId, partitionId);
      if (partition === undefined) {
        return { partitionId, shardId, firstOffset: 0, endOffset: 0, oldestMicros: undefined, condition: "closed" };
      }
      const { view } = partition;
      const { firstOffset, endOffset, isFenced } = view;
      const condition = isFenced ? "fenced" : "open";
      return { partitionId, shardId, firstOffset, endOffset, oldestMicros: timestampAt(view, firstOffset), condition };
    });
  }

  #offsets({ after, countMax, ...question }: OffsetsQuestion): readonly PartitionOffsetsReport[] {
    const partitions = this.#ofTopic(question).map(([partitionId, partition]) => ({
      partitionId,
      endOffset: partition.view.endOffset,
      holder: partition.segmentHolder,
      stored: [...partition.view.stored()].filter(
        (consumer) => after === undefined || compareConsumers(consumer, after) > 0,
      ),
    }));
    const consumers = new Map(
      partitions.flatMap(({ stored }) => stored).map((consumer) => [nameOf(consumer), consumer]),
    );
    const kept = new Set([...consumers.values()].sort(compareConsumers).slice(0, countMax).map(nameOf));
    return partitions.map(({ stored, ...partition }) => ({
      ...partition,
      stored: stored.filter((consumer) => kept.has(nameOf(consumer))),
    }));
  }

  #ofTopic(question: TopicQuestion): readonly (readonly [partitionId: number, partition: Partition])[] {
    return this.#ownIds(question).flatMap((partitionId) => {
      const partition = this.#own(question.streamId, question.topicId, partitionId);
      return partition === undefined ? [] : [[partitionId, partition] as const];
    });
  }

  #ownIds({ streamId, topicId, firstPartition, endPartition }: TopicQuestion): readonly number[] {
    const { shardId, shardCount, state } = this.#options;
    const count = state.streams.byId.get(streamId)?.topics.byId.get(topicId)?.partitions.length ?? 0;
    const ids: number[] = [];
    for (let partitionId = firstPartition; partitionId < Math.min(count, endPartition); partitionId++) {
      if (ownerShardOf(partitionKeyOf(streamId, topicId, partitionId), shardCount) === shardId) ids.push(partitionId);
    }
    return ids;
  }

  /** Undefined: another shard's, or closed. */
  #own(streamId: number, topicId: number, partitionId: number): Partition | undefined {
    return this.#options.partitions.find(partitionKeyOf(streamId, topicId, partitionId));
  }
}

/** Consumers before groups, each by their numbers. */
export function compareConsumers(left: ConsumerKey, right: ConsumerKey): number {
  if (left.kind !== right.kind) return left.kind === "consumer" ? -1 : 1;
  return left.id - right.id;
}

/** Never more than is there: retention may have removed what lies behind an old offset. */
function lagOf({ firstOffset, endOffset }: PartitionView, storedOffset: number | undefined): number {
  const kept = endOffset - firstOffset;
  return storedOffset === undefined ? kept : Math.min(kept, Math.max(0, endOffset - 1 - storedOffset));
}

/** An index that cannot be read keeps nobody from the rest: who asks for the messages gets the error. */
function timestampAt(view: PartitionView, offset: number): number | undefined {
  try {
    return view.timestampAt(offset);
  } catch (error) {
    if (error instanceof IggyError) return undefined;
    throw error;
  }
}

function nameOf({ kind, id }: ConsumerKey): string {
  return `${kind} ${id}`;
}
