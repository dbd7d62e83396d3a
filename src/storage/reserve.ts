// Room for the log ahead of its end: appends then find their blocks instead of asking for them. And what else may stand behind
// the messages: what a failed write left there.

import { DiskError, type DiskFile } from "../platform/disk.ts";
import type { FileCache } from "./file-cache.ts";
import { reserveFromBytes, reserveStepBytesMax } from "./limits.ts";
import type { Segment } from "./segment.ts";
import type { StorageContext } from "./types.ts";

/** After so many ticks of the saver without growth a log gives back the room ahead of it. */
const idleTicksMax = 2;

/** Sets room aside for what was accepted and some more. Best effort: without it the write asks for its blocks itself. */
export function reserveAhead(segment: Segment, file: DiskFile): void {
  const end = segment.acceptedSizeBytes;
  if (end < reserveFromBytes) return;
  const target = end + Math.min(end, reserveStepBytesMax);
  const start = Math.max(segment.logSizeBytes, segment.reservedBytes);
  // A file system that cannot do it is not asked again for this segment.
  segment.reservedBytes = file.reserve(start, target - start) ? target : Number.POSITIVE_INFINITY;
}

/** Gives back what a log that takes no more appends did not use. Throws `DiskError`. */
export function giveReservedBack(files: FileCache, segment: Segment): void {
  if (segment.isRemoved || (segment.reservedBytes <= segment.logSizeBytes && !segment.hasLeftover)) return;
  cutBehindMessages(segment, files.useToWrite(segment.log));
}

/** Whether room that can be given back is set aside behind its messages. */
export function hasReserve({ reservedBytes, logSizeBytes }: Segment): boolean {
  return reservedBytes > logSizeBytes && reservedBytes !== Number.POSITIVE_INFINITY;
}

/** A log that no longer grows holds no room ahead of its end. */
export class IdleReserve {
  /** Size of the active log at the last tick of the saver, and how many ticks ago it grew. */
  #sizeAtTick = 0;
  #idleTicks = 0;

  /** The saver came by, and found room. A failure is only logged. */
  tick({ files, log }: StorageContext, active: Segment): void {
    this.#idleTicks = active.logSizeBytes === this.#sizeAtTick ? this.#idleTicks + 1 : 0;
    this.#sizeAtTick = active.logSizeBytes;
    if (this.#idleTicks < idleTicksMax) return;
    try {
      giveReservedBack(files, active);
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      log.warn("room set aside not given back yet", { path: active.log.path, error: thrown.message });
    }
  }
}

/**
 * A killed process gave nothing back: to cut a file to the size that it has frees what is behind. Only a log that was active
 * then can have room, and only a large one. A failure is only logged.
 */
export function giveBackAfterKill({ files, log }: StorageContext, segment: Segment): void {
  if (!segment.onDisk || segment.logSizeBytes < reserveFromBytes) return;
  try {
    const file = files.useToWrite(segment.log);
    file.truncate(file.sizeBytes());
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    log.warn("room set aside not given back yet", { path: segment.log.path, error: thrown.message });
  }
}

/**
 * After a write to `file`, the log, that failed with `thrown`: part of the bytes may be in it. They must not stay behind the end,
 * where the next write starts; the descriptor that wrote them cuts them off. Whether that is done: what cannot be cut off now is
 * before the next write, and may be there again after a restart.
 */
export function undoWrite(active: Segment, file: DiskFile, thrown: unknown): boolean {
  const isFull = thrown instanceof DiskError && thrown.errorCode === "ENOSPC";
  try {
    // On a full disk others need the room that was set aside.
    if (isFull || file.sizeBytes() > active.logSizeBytes) cutBehindMessages(active, file);
    return true;
  } catch (failure) {
    if (!(failure instanceof DiskError)) throw failure;
    active.hasLeftover = true;
    return false;
  }
}

/** Cuts off what stands behind the messages in `file`, the log: part of a failed write, and room. Throws `DiskError`. */
export function cutBehindMessages(segment: Segment, file: DiskFile): void {
  file.truncate(segment.logSizeBytes);
  segment.reservedBytes = 0;
  segment.hasLeftover = false;
}
