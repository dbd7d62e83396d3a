// Room for the log ahead of its end: appends then find their blocks instead of asking for them.

import { DiskError, type DiskFile } from "../platform/disk.ts";
import type { FileCache } from "./file-cache.ts";
import { reserveFromBytes, reserveStepBytesMax } from "./limits.ts";
import type { Segment } from "./segment.ts";
import type { StorageContext } from "./types.ts";

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

/** Cuts off what stands behind the messages in `file`, the log: part of a failed write, and room. Throws `DiskError`. */
export function cutBehindMessages(segment: Segment, file: DiskFile): void {
  file.truncate(segment.logSizeBytes);
  segment.reservedBytes = 0;
  segment.hasLeftover = false;
}
