// What a partition holds at one moment, for a backup: its files get second names in a directory of their own, and a list says how
// much of each is of that moment. The files go on growing under their own names, and are removed there; nothing waits for that.
import type { DiskFile } from "../platform/disk.ts";
import { markName } from "./mark.ts";
import type { ConsumerOffsets, StoredConsumer } from "./offsets.ts";
import type { PartitionLog } from "./partition-log.ts";
import { rowSizeBytes } from "./row-block.ts";
import type { Segment } from "./segment.ts";

/** Name of the list, in the directory of the point: JSON of a `PartitionPoint`. */
export const pointName = "point.json";

export interface PointSegment {
  readonly startOffset: number;
  /** Of whole messages that readers may see. */
  readonly logBytes: number;
  readonly indexBytes: number;
}

export interface PartitionPoint {
  /** Ascending; the last one is active and goes on growing. */
  readonly segments: readonly PointSegment[];
  readonly offsets: readonly StoredConsumer[];
}

/**
 * Links what the partition holds now into `directory`, which is made. Synchronous: nothing comes between the log, the mark and the
 * offsets. Nothing is done for a partition that is deleted or has no files. Throws `DiskError`.
 */
export function linkPoint(log: PartitionLog, offsets: ConsumerOffsets, directory: string): void {
  const { disk } = log.context;
  const end = Math.min(log.visibleOffset, log.writtenOffset);
  const [first] = log.segments;
  // One of which nothing may be seen yet would stand behind a gap.
  const segments = log.segments.filter((segment) => segment.onDisk && (segment === first || segment.startOffset < end));
  const markPath = `${log.directory}/${markName}`;
  const hasMark = disk.exists(markPath);
  if (log.isAbandoned || (segments.length === 0 && !hasMark)) return;
  log.writeIndexRows();
  disk.makeDirectory(directory);
  for (const { path } of segments.flatMap(({ log: file, index }) => [file, index.file])) {
    disk.link(path, `${directory}/${path.slice(log.directory.length + 1)}`);
  }
  // Its file is never changed: another one takes its place.
  if (hasMark) disk.link(markPath, `${directory}/${markName}`);
  const point: PartitionPoint = {
    segments: segments.map((segment) => partOf(log, segment)),
    offsets: [...offsets.all()],
  };
  const file: DiskFile = disk.open(`${directory}/${pointName}`, "create");
  try {
    file.write([new TextEncoder().encode(JSON.stringify(point))], 0);
  } finally {
    file.close();
  }
}

/** How much of a segment readers may see, and is in its files. */
function partOf(log: PartitionLog, segment: Segment): PointSegment {
  const { startOffset, index } = segment;
  const rows = Math.min(log.visibleRows(segment), Math.max(0, log.writtenRows(segment)));
  const logBytes = rows === index.rowsCount ? segment.logSizeBytes : index.startPosition(rows);
  return { startOffset, logBytes, indexBytes: Math.min(rows, index.fileRows) * rowSizeBytes };
}
