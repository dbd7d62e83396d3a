// The directory of one partition: whose it is, its segments in their order, its checkpoint and the names in it.
import { isKeptAside } from "../platform/disk.ts";
import { checkpointName, readCheckpoint } from "../storage/checkpoint.ts";
import { markName } from "../storage/mark.ts";
import { decodeMark, legacyLogId, type MarkContent } from "../storage/mark-format.ts";
import { offsetsDirectoryName } from "../storage/offsets.ts";
import { rowSizeBytes } from "../storage/row-block.ts";
import { indexNameOf, startOffsetOf } from "../storage/segment.ts";
import type { PartitionIdentity } from "../storage/types.ts";
import { messagesText } from "./findings.ts";
import { checkOffsets } from "./offsets-check.ts";
import { checkSegment } from "./segment-check.ts";
import { attempt, type CheckTools } from "./tools.ts";

export interface PartitionTarget {
  readonly directory: string;
  readonly identity: PartitionIdentity;
}

/** What else lies in the directory of a partition, in passing or for good. */
const ownNames: ReadonlySet<string> = new Set([
  markName,
  `${markName}.tmp`,
  checkpointName,
  `${checkpointName}.tmp`,
  offsetsDirectoryName,
]);

/** Reports what is not as it should be; nothing is changed. Never throws for a file that cannot be read. */
export function checkPartition(tools: CheckTools, target: PartitionTarget): void {
  const { disk } = tools.context;
  const { directory } = target;
  attempt(tools, () => {
    if (!disk.exists(directory)) return; // nothing was ever written
    const names = disk.list(directory).filter((name) => !isKeptAside(name));
    if (names.every((name) => name === `${markName}.tmp`)) return;
    const mark = readMark(tools, directory, names);
    if (!isOurs(tools, target, names, mark)) return;
    reportUnknownNames(tools, directory, names);
    const nextOffset = checkSegments(tools, directory, names);
    const markedOffset = mark?.nextOffset ?? 0;
    if (nextOffset !== undefined && nextOffset < markedOffset)
      reportLostEnd(tools, directory, nextOffset, markedOffset);
    if (nextOffset === undefined || !names.includes(offsetsDirectoryName)) return;
    checkOffsets(tools, {
      directory: `${directory}/${offsetsDirectoryName}`,
      endOffset: Math.max(nextOffset, markedOffset),
      ownsGroup: (number) => mark?.groups.get(number) === target.identity.groupLogId(number),
    });
  });
}

/** Undefined: there is none, or none of its copies is whole, which is reported. */
function readMark(tools: CheckTools, directory: string, names: readonly string[]): MarkContent | undefined {
  if (!names.includes(markName)) return undefined;
  const path = `${directory}/${markName}`;
  const { disk } = tools.context;
  const file = disk.open(path, "read");
  let found: ReturnType<typeof decodeMark>;
  try {
    const bytes = new Uint8Array(file.sizeBytes());
    found = decodeMark(bytes.subarray(0, file.read(bytes, 0)));
  } finally {
    file.close();
  }
  if (found?.isWhole === true) return found.content;
  const isLost = found === undefined;
  tools.findings.add({
    kind: "mark",
    severity: "damage",
    path,
    text: isLost ? "neither copy of the mark is whole" : "one of the two copies of the mark is damaged",
    consequence: isLost ? "nobody can tell whose files these are" : "a start repairs it from the other copy",
  });
  return found?.content;
}

/** Whether the files are those of the partition that the metadata name. */
function isOurs(
  tools: CheckTools,
  { directory, identity }: PartitionTarget,
  names: readonly string[],
  mark: MarkContent | undefined,
): boolean {
  if (mark === undefined ? identity.logId === undefined : mark.logId === identity.logId) return true;
  if (identity.isRemoved(mark?.logId ?? legacyLogId)) {
    tools.findings.add({
      kind: "stray",
      severity: "start",
      path: directory,
      text: "left by a deletion or purge that was interrupted",
      consequence: "a start removes it",
    });
    return false;
  }
  const rows = names.filter((name) => name.endsWith(".index")).map((name) => rowsOf(tools, `${directory}/${name}`));
  const count = rows.reduce((sum, some) => sum + some, 0);
  tools.findings.add({
    kind: "stray",
    severity: "damage",
    path: directory,
    text: mark === undefined ? "files without a mark that can be read" : "the mark is that of another partition's log",
    lostMessages: count,
    loss: `about ${messagesText(count)}`,
    consequence: "a start sets the directory aside in lost+found",
  });
  return false;
}

function rowsOf({ context }: CheckTools, path: string): number {
  const file = context.disk.open(path, "read");
  try {
    return Math.floor(file.sizeBytes() / rowSizeBytes);
  } finally {
    file.close();
  }
}

function reportUnknownNames(tools: CheckTools, directory: string, names: readonly string[]): void {
  for (const name of names) {
    const isIndex = startOffsetOf(name.replace(/index$/, "log")) !== undefined;
    if (ownNames.has(name) || startOffsetOf(name) !== undefined || isIndex) continue;
    tools.findings.add({
      kind: "unknown",
      severity: "notice",
      path: `${directory}/${name}`,
      text: "no file of a partition has such a name",
      consequence: "nobody reads it, and it goes with the partition",
    });
  }
}

/** The offset behind the last message; undefined where files cannot be read. */
function checkSegments(tools: CheckTools, directory: string, names: readonly string[]): number | undefined {
  const starts = names.map(startOffsetOf).filter((start) => start !== undefined);
  starts.sort((left, right) => left - right);
  reportLogless(tools, directory, names, starts);
  const checkpoint = names.includes(checkpointName) ? checkCheckpoint(tools, directory, starts) : undefined;
  let endOffset: number | undefined = 0;
  let lastTimestampMicros = 0;
  for (const [index, startOffset] of starts.entries()) {
    const name = indexNameOf(startOffset);
    const checked = attempt(tools, () =>
      checkSegment(tools, {
        directory,
        startOffset,
        nextStartOffset: starts[index + 1],
        hasIndex: names.includes(name),
        durableBytes: checkpoint?.segmentStartOffset === startOffset ? checkpoint.position : 0,
        lastTimestampMicros,
      }),
    );
    endOffset = checked?.endOffset;
    lastTimestampMicros = checked?.lastTimestampMicros ?? lastTimestampMicros;
  }
  return endOffset;
}

function checkCheckpoint(tools: CheckTools, directory: string, starts: readonly number[]) {
  const path = `${directory}/${checkpointName}`;
  const { log } = tools.context;
  const checkpoint = readCheckpoint(tools.context.disk, directory, log);
  if (checkpoint === undefined) {
    tools.findings.add({
      kind: "checkpoint",
      severity: "damage",
      path,
      text: "its checksum is not that of its bytes",
      consequence: "a start looks at all of the last segment, and writes another one",
    });
  } else if (checkpoint.segmentStartOffset > (starts.at(-1) ?? -1)) {
    tools.findings.add({
      kind: "missing",
      severity: "damage",
      path: `${directory}/${indexNameOf(checkpoint.segmentStartOffset).replace(/index$/, "log")}`,
      text: "the last segment, which the checkpoint names, is missing",
      loss: `${checkpoint.position} bytes of messages`,
      consequence: "a start goes on without it",
    });
  }
  return checkpoint;
}

/** Indexes whose logs are not there: left by retention at the old end, of a log that is lost elsewhere. */
function reportLogless(
  tools: CheckTools,
  directory: string,
  names: readonly string[],
  starts: readonly number[],
): void {
  for (const name of names) {
    const logName = name.replace(/index$/, "log");
    const startOffset = name.endsWith(".index") ? startOffsetOf(logName) : undefined;
    if (startOffset === undefined || names.includes(logName)) continue;
    const path = `${directory}/${name}`;
    const count = rowsOf(tools, path);
    if (starts.some((start) => start > startOffset) && !starts.some((start) => start < startOffset)) {
      tools.findings.add({
        kind: "index",
        severity: "start",
        path,
        text: "its log is not there: the removal of the oldest segment was interrupted",
        consequence: "a start removes it",
      });
      continue;
    }
    tools.findings.add({
      kind: "missing",
      severity: "damage",
      path: `${directory}/${logName}`,
      text: "the log is missing, and its index is there",
      lostMessages: count,
      loss: messagesText(count),
      consequence: "a start removes the index, and goes on with what is left",
    });
  }
}

function reportLostEnd(tools: CheckTools, directory: string, nextOffset: number, markedOffset: number): void {
  const count = markedOffset - nextOffset;
  tools.findings.add({
    kind: "missing",
    severity: "damage",
    path: `${directory}/${markName}`,
    text: `it says that offsets up to ${markedOffset - 1} were given, and the log ends before ${nextOffset}`,
    lostMessages: count,
    loss: messagesText(count),
    consequence: `the next message gets offset ${markedOffset}`,
  });
}
