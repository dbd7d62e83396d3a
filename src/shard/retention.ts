// What the owner of a partition does for retention (spec SB 5.1, 5.2), one segment at a time: a segment has up to a
// gigabyte, and removing its file holds the event loop up.
import type { Partition, RemovableSegment } from "../storage/index.ts";

export interface OldestSegmentRequest {
  readonly partitionKey: number;
  /** Remove the oldest segment first, if it still ends at this offset. Undefined: only look. */
  readonly removeEndingAt?: number | undefined;
}

export interface OldestSegmentReply {
  readonly isRemoved: boolean;
  /** The oldest segment now, where retention may remove it. */
  readonly oldest: RemovableSegment | undefined;
}

/** Throws CannotReadFile (10002), CannotDeleteFile (10008). */
export function answerOldestSegment(
  partition: Partition,
  { removeEndingAt }: OldestSegmentRequest,
): OldestSegmentReply {
  const oldest = partition.oldestRemovableSegment();
  if (oldest === undefined || oldest.endOffset !== removeEndingAt) return { isRemoved: false, oldest };
  const isRemoved = partition.removeOldestSegments(1) === 1;
  return { isRemoved, oldest: isRemoved ? partition.oldestRemovableSegment() : undefined };
}

/**
 * Removes up to `count` of the oldest sealed segments that no stored offset blocks; how many it were (spec SB 5.2; more
 * than there are is fine). Rejects with CannotDeleteFile (10008), at level
 * sync also with CannotSyncFile (10009): they are gone then, but may be there again after a power loss.
 */
export async function deleteSegments(partition: Partition, count: number): Promise<number> {
  let removed = 0;
  while (removed < count && partition.removeOldestSegments(1) === 1) {
    removed++;
    await nextTurn();
  }
  if (removed > 0) partition.syncRemovals();
  return removed;
}

/** Lets everything else that waits run first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
