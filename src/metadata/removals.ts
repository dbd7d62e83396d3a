/**
 * What was deleted or purged, and whose files may still be there. A deletion is decided in the log, the files follow: the
 * metadata remember it until they are gone, over restarts and in snapshots, so that what a crash or a disk left is told from
 * what nobody ever named.
 */
import { assert } from "../platform/assert.ts";
import type { RemovalsFinished } from "./events.ts";
import { logIdOf } from "./log-ids.ts";
import type { MetadataState, Partition, Removal, RemovedLogs, Topic } from "./state.ts";

/** Place of a partition. */
interface Place {
  readonly streamId: number;
  readonly topicId: number;
  readonly partitionId: number;
}

/** The id for the next one: unique among those that are remembered. */
export function nextRemovalId(state: MetadataState): number {
  return state.lastRemovalId + 1;
}

/** Asserts that a removal can have this id. */
export function assertRemovalId(state: MetadataState, removalId: number): void {
  assert(removalId > state.lastRemovalId, "removals are numbered in ascending order", { removalId });
}

export function rememberRemoval(state: MetadataState, removal: Removal): void {
  state.removals.set(removal.removalId, removal);
  state.lastRemovalId = removal.removalId;
}

/** The logs of some partitions of a topic. */
export function removedLogsOf(topic: Topic, partitions: readonly Partition[] = topic.partitions): RemovedLogs {
  return { topicId: topic.id, logBases: [...new Set(partitions.map(({ logBase }) => logBase ?? null))] };
}

/**
 * Whether the log with this id (undefined: one that an older version made) ended at this place by a deletion or purge that
 * is remembered.
 */
export function isRemovedLog(state: MetadataState, place: Place, logId: string | undefined): boolean {
  for (const removal of state.removals.values()) if (isLogOf(removal, place, logId)) return true;
  return false;
}

/** The events that forget removals whose files are gone; ids that are not remembered are left out. */
export function planRemovalsFinished(state: MetadataState, removalIds: Iterable<number>): RemovalsFinished[] {
  const known = [...removalIds].filter((removalId) => state.removals.has(removalId));
  return known.length === 0 ? [] : [{ kind: "removalsFinished", removalIds: known }];
}

function isLogOf(removal: Removal, { streamId, topicId, partitionId }: Place, logId: string | undefined): boolean {
  if (removal.streamId !== streamId || (removal.topicId ?? topicId) !== topicId) return false;
  if (partitionId < removal.firstPartitionId) return false;
  return removal.logs.some(
    (logs) =>
      logs.topicId === topicId &&
      logs.logBases.some((base) => logIdOf(base ?? undefined, topicId, partitionId) === logId),
  );
}
