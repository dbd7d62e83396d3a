// Retention (spec SB 5.1): a pass removes what has expired, then what makes a topic too large; whole sealed segments only,
// and none that a consumer still needs.
//
// Every shard removes what expired from its own partitions. The size of a topic is that of all its partitions, wherever they
// are, so one shard alone, the owner of partition 0, looks after it: it asks the owners for their oldest segments and has
// the oldest of all removed, one by one, until the topic is small enough. Were each shard to remove its own oldest ones, all
// of them would remove for the same surplus, and newer messages before older ones of another shard.
import type { MetadataState, Topic } from "../metadata/index.ts";
import type { Logger } from "../observability/log.ts";
import { IggyError } from "../protocol/errors.ts";
import { u64Max } from "../protocol/limits.ts";
import type { RemovableSegment } from "../storage/index.ts";
import type { Counters } from "./counters.ts";
import type { LocalPartitions } from "./local-partitions.ts";
import { ownerShardOf, partitionKeyOf, splitPartitionKey } from "./placement.ts";
import { nextTurn, type OldestSegmentReply, type OldestSegmentRequest } from "./retention.ts";

/** Looking at as many partitions takes well below a millisecond. */
const partitionsPerTurn = 1000;

export interface CleanerOptions {
  readonly shardId: number;
  readonly shardCount: number;
  readonly state: MetadataState;
  readonly counters: Pick<Counters, "partition">;
  readonly partitions: Pick<LocalPartitions, "find">;
  /** `answerOldestSegment` at the owner of the partition, on whichever shard. */
  readonly oldestSegment: (request: OldestSegmentRequest) => OldestSegmentReply | Promise<OldestSegmentReply>;
  readonly log: Pick<Logger, "info" | "error">;
}

export interface CleanerReport {
  expiredSegments: number;
  expiredBytes: number;
  /** Removed because their topic was too large. */
  surplusSegments: number;
  surplusBytes: number;
}

export class Cleaner {
  readonly #options: CleanerOptions;
  #running: Promise<CleanerReport> | undefined;
  #isStopped = false;
  #lookedAt = 0;

  constructor(options: CleanerOptions) {
    this.#options = options;
  }

  /**
   * One pass; what it removed is in the log. Does nothing while another one is under way, or after `stop`. What cannot be
   * removed is logged, and the pass goes on with the next partition.
   */
  async run(): Promise<CleanerReport | undefined> {
    if (this.#isStopped || this.#running !== undefined) return undefined;
    this.#running = this.#pass();
    try {
      return await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  /** Ends the pass under way at its next step; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled([this.#running]); // its caller learns of a failure
  }

  async #pass(): Promise<CleanerReport> {
    const report: CleanerReport = { expiredSegments: 0, expiredBytes: 0, surplusSegments: 0, surplusBytes: 0 };
    for (const topicKey of this.#topicKeys()) {
      // Looked up anew after each wait: the topic may have changed, or be gone.
      const topic = this.#topicOf(topicKey);
      if (topic === undefined) continue;
      if (isLimit(topic.messageExpiryMicros)) await this.#removeExpired(topicKey, report);
      if (isLimit(topic.maxTopicSizeBytes) && this.#isMine(topicKey)) await this.#removeSurplus(topicKey, report);
      if (this.#isStopped) break;
    }
    if (report.expiredSegments + report.surplusSegments > 0) {
      this.#options.log.info("removed old segments", { ...report });
    }
    return report;
  }

  /** Those with a limit, each by the key of its partition 0. */
  #topicKeys(): number[] {
    const keys: number[] = [];
    for (const stream of this.#options.state.streams.byId.values()) {
      for (const topic of stream.topics.byId.values()) {
        const isLimited = isLimit(topic.messageExpiryMicros) || isLimit(topic.maxTopicSizeBytes);
        if (isLimited) keys.push(partitionKeyOf(stream.id, topic.id, 0));
      }
    }
    return keys;
  }

  #topicOf(topicKey: number): Topic | undefined {
    const { streamId, topicId } = splitPartitionKey(topicKey);
    return this.#options.state.streams.byId.get(streamId)?.topics.byId.get(topicId);
  }

  #isMine(partitionKey: number): boolean {
    return ownerShardOf(partitionKey, this.#options.shardCount) === this.#options.shardId;
  }

  async #removeExpired(topicKey: number, report: CleanerReport): Promise<void> {
    for (let partitionId = 0; partitionId < this.#partitionsCountOf(topicKey); partitionId++) {
      const partitionKey = topicKey + partitionId;
      const turn = this.#turn();
      if (turn !== undefined) await turn;
      while (this.#removeOneExpired(topicKey, partitionKey, report)) await nextTurn();
      if (this.#isStopped) return;
    }
  }

  /** Whether there was one. Nothing is read from the disk to find out. */
  #removeOneExpired(topicKey: number, partitionKey: number, report: CleanerReport): boolean {
    const topic = this.#topicOf(topicKey);
    const partition = this.#options.partitions.find(partitionKey);
    if (this.#isStopped || topic === undefined || partition === undefined) return false;
    if (!isLimit(topic.messageExpiryMicros) || partition.counters.segmentsCount < 2) return false;
    const sizeBytes = partition.counters.sizeBytes;
    try {
      if (partition.removeExpiredSegments(Number(topic.messageExpiryMicros), 1) === 0) return false;
    } catch (error) {
      this.#report(partitionKey, error);
      return false;
    }
    report.expiredSegments++;
    report.expiredBytes += sizeBytes - partition.counters.sizeBytes;
    return true;
  }

  async #removeSurplus(topicKey: number, report: CleanerReport): Promise<void> {
    if (!(await this.#hasSurplus(topicKey))) return;
    const oldest = new Map<number, RemovableSegment>();
    for (let partitionId = 0; partitionId < this.#partitionsCountOf(topicKey); partitionId++) {
      const partitionKey = topicKey + partitionId;
      if (this.#options.counters.partition(partitionKey).segmentsCount < 2) continue;
      await this.#ask({ partitionKey }, oldest);
      if (this.#isStopped) return;
    }
    while (!this.#isStopped && (await this.#hasSurplus(topicKey))) {
      const next = oldestOf(oldest);
      if (next === undefined) return;
      const [partitionKey, segment] = next;
      if (!(await this.#ask({ partitionKey, removeEndingAt: segment.endOffset }, oldest))) continue;
      report.surplusSegments++;
      report.surplusBytes += segment.sizeBytes;
      await nextTurn();
    }
  }

  /** Whether the owner removed a segment. Notes in `oldest` which is its oldest one now. */
  async #ask(request: OldestSegmentRequest, oldest: Map<number, RemovableSegment>): Promise<boolean> {
    oldest.delete(request.partitionKey);
    try {
      const reply = await this.#options.oldestSegment(request);
      if (reply.oldest !== undefined) oldest.set(request.partitionKey, reply.oldest);
      return reply.isRemoved;
    } catch (error) {
      this.#report(request.partitionKey, error);
      return false;
    }
  }

  async #hasSurplus(topicKey: number): Promise<boolean> {
    let sizeBytes = 0;
    for (let partitionId = 0; partitionId < this.#partitionsCountOf(topicKey); partitionId++) {
      const turn = this.#turn();
      if (turn !== undefined) await turn;
      if (partitionId < this.#partitionsCountOf(topicKey)) {
        sizeBytes += this.#options.counters.partition(topicKey + partitionId).sizeBytes;
      }
    }
    const topic = this.#topicOf(topicKey);
    return topic !== undefined && isLimit(topic.maxTopicSizeBytes) && sizeBytes >= surplusFromBytes(topic);
  }

  #partitionsCountOf(topicKey: number): number {
    return this.#topicOf(topicKey)?.partitions.length ?? 0;
  }

  #report(partitionKey: number, error: unknown): void {
    if (error instanceof IggyError && error.errorName === "PartitionNotFound") return; // deleted meanwhile
    this.#options.log.error("a segment could not be removed", { ...splitPartitionKey(partitionKey), error });
  }

  /** Before a partition is looked at: lets others run from time to time. */
  #turn(): Promise<void> | undefined {
    return ++this.#lookedAt % partitionsPerTurn === 0 ? nextTurn() : undefined;
  }
}

/** Neither "never" nor "unlimited"; the state holds no unresolved default, which would be 0 (spec SB 13, trap 12). */
function isLimit(value: bigint): boolean {
  return value !== u64Max;
}

/** A topic of this size is too large: 90 % of its limit, rounded down (spec SB 5.1). */
function surplusFromBytes({ maxTopicSizeBytes }: Topic): number {
  return Number((maxTopicSizeBytes * 9n) / 10n);
}

/** By the time of the first message; of equal ones that of the lowest partition. */
function oldestOf(segments: ReadonlyMap<number, RemovableSegment>): [number, RemovableSegment] | undefined {
  let found: [number, RemovableSegment] | undefined;
  for (const [partitionKey, segment] of segments) {
    const { firstTimestampMicros } = segment;
    const before = found === undefined ? 1 : found[1].firstTimestampMicros - firstTimestampMicros;
    if (before > 0 || (before === 0 && found !== undefined && partitionKey < found[0])) found = [partitionKey, segment];
  }
  return found;
}
