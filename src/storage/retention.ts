// What retention may do to one partition (spec SB 5.1, 5.2): remove its oldest sealed segments, never the active one, and
// none that a consumer or group with a stored offset has not read to its end. Which partition to take from when a topic is
// too large is decided above.

import { DiskError } from "../platform/disk.ts";
import { clockStepBackMicrosMax } from "./limits.ts";
import type { ConsumerOffsets, StoredConsumer } from "./offsets.ts";
import type { PartitionLog } from "./partition-log.ts";
import type { Segment } from "./segment.ts";

/** The oldest segment of a partition, where retention may remove it. */
export interface RemovableSegment {
  readonly firstTimestampMicros: number;
  readonly lastTimestampMicros: number;
  readonly sizeBytes: number;
  /** Offset behind its last message. */
  readonly endOffset: number;
}

/** A consumer or group that has not read the oldest segment, which retention or a command would have removed. */
export interface SegmentHolder extends StoredConsumer {
  /** The oldest segment and those behind it that are sealed: none goes before the oldest one. */
  readonly segmentsCount: number;
}

/** Who holds segments back now; undefined also where nobody has tried to remove any since the partition was opened. */
export function holderOf(log: PartitionLog, offsets: ConsumerOffsets): SegmentHolder | undefined {
  const oldest = log.segments[0]!;
  if (oldest === log.active || !oldest.isKeptReported) return undefined;
  const slowest = offsets.slowest();
  if (slowest === undefined || isRead(oldest, slowest)) return undefined;
  return { ...slowest, segmentsCount: log.segments.length - 1 };
}

/**
 * The oldest segment; undefined when it is the active one, or a stored offset blocks it. A cleaner asks again and again:
 * that a segment is blocked is logged once. Throws `DiskError`.
 */
export function oldestRemovable(log: PartitionLog, offsets: ConsumerOffsets): RemovableSegment | undefined {
  const oldest = findRemovable(log, offsets, false);
  if (oldest === undefined) return undefined;
  return {
    firstTimestampMicros: oldest.index.rowsCount === 0 ? 0 : oldest.index.timestampMicros(0),
    lastTimestampMicros: oldest.lastTimestampMicros,
    sizeBytes: oldest.logSizeBytes,
    endOffset: oldest.endOffset,
  };
}

/** Removes up to `countMax` of the oldest segments, logging each time what blocks; how many it removed. Throws `DiskError`. */
export function removeOldest(log: PartitionLog, offsets: ConsumerOffsets, countMax: number): number {
  let removed = 0;
  while (removed < countMax && findRemovable(log, offsets, true) !== undefined) {
    log.removeOldestSegment();
    removed++;
  }
  return removed;
}

/**
 * Removes up to `countMax` of the segments whose newest message is `expiryMicros` old or older; how many it removed. Reads
 * nothing from the disk; a cleaner asks again and again, so a segment that is blocked is logged once. Throws `DiskError`.
 */
export function removeExpired(
  log: PartitionLog,
  offsets: ConsumerOffsets,
  nowMicros: number,
  expiryMicros: number,
  countMax: number,
): number {
  let removed = 0;
  while (removed < countMax) {
    const oldest = log.segments[0]!;
    const isExpired = oldest.lastTimestampMicros !== 0 && ageOf(log, oldest, nowMicros) >= expiryMicros;
    const isEmpty = oldest.index.rowsCount === 0; // it must not keep those behind it
    if (!(isExpired || isEmpty) || findRemovable(log, offsets, false) === undefined) break;
    log.removeOldestSegment();
    removed++;
  }
  return removed;
}

/**
 * At least how long ago its newest message came. What a clock dated ahead that was wrong must not stay, and hold back all that
 * is behind it, until the clock gets there: its age is that since it was seen, by a clock that nobody sets.
 */
function ageOf({ context }: PartitionLog, segment: Segment, nowMicros: number): number {
  const ageMicros = nowMicros - segment.lastTimestampMicros;
  if (ageMicros >= -clockStepBackMicrosMax) return ageMicros;
  const elapsedMicros = (context.elapsed ?? context.clock).nowMicros();
  segment.seenAheadMicros ??= elapsedMicros;
  return elapsedMicros - segment.seenAheadMicros;
}

function findRemovable(log: PartitionLog, offsets: ConsumerOffsets, isAttempt: boolean): Segment | undefined {
  const oldest = log.segments[0]!;
  // At sync level the newest sealed segment may hold messages that nobody may see yet: it is not complete.
  if (oldest === log.active || oldest.endOffset > log.visibleOffset) return undefined;
  if (oldest === log.segments[log.segments.length - 2] && !isActiveOnDisk(log)) return undefined;
  const slowest = offsets.slowest();
  if (slowest === undefined || isRead(oldest, slowest)) return oldest;
  if (isAttempt || !oldest.isKeptReported) {
    // The number is enough to delete the offset; a name is none of the log's business where payloads are encrypted.
    const { kind, id, name, storedOffset } = slowest;
    const named = name === undefined || log.context.encryption !== undefined ? {} : { name };
    const fields = { path: oldest.log.path, [kind]: id, ...named, storedOffset, segments: log.segments.length - 1 };
    log.context.log.warn("segment kept, a consumer has not read it", fields);
    oldest.isKeptReported = true;
  }
  return undefined;
}

function isRead({ endOffset }: Segment, { storedOffset }: StoredConsumer): boolean {
  return endOffset - 1 <= storedOffset;
}

/**
 * Whether a file carries the next offset when all sealed segments are gone: that of the active one, by its name. It may be
 * missing where it could not be made when the segment was started.
 */
function isActiveOnDisk(log: PartitionLog): boolean {
  try {
    log.createActiveFiles();
    return true;
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    log.context.log.warn("segment kept, the next one cannot be made", {
      path: log.active.log.path,
      error: thrown.message,
    });
    return false;
  }
}
