/** Removes rotated log files that are too old or too many; the file being written is never touched (spec SB 8.6). */
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { rotatedLogName, rotatedLogNumbers } from "./log-names.ts";

export interface LogCleanupRules {
  /** Files not written to for longer are removed. */
  readonly retentionMs: number;
  /** Then the oldest, until the rest is no larger; 0: no limit. */
  readonly totalBytesMax: number;
}

interface RotatedFile {
  readonly path: string;
  readonly changedAtMs: number;
  readonly sizeBytes: number;
}

/** Returns the paths that were removed. Throws what the file system throws; the caller logs it and tries again later. */
export function cleanUpLogs(directory: string, rules: LogCleanupRules, nowMs: number): string[] {
  const oldestFirst = rotatedLogNumbers(directory)
    .reverse()
    .flatMap((number) => rotatedFile(directory, number));
  const isExpired = (file: RotatedFile) => nowMs - file.changedAtMs > rules.retentionMs;
  const removed = oldestFirst.filter(isExpired);
  const kept = oldestFirst.filter((file) => !isExpired(file));
  let totalBytes = kept.reduce((sum, file) => sum + file.sizeBytes, 0);
  for (const file of kept) {
    if (rules.totalBytesMax === 0 || totalBytes <= rules.totalBytesMax) break;
    removed.push(file);
    totalBytes -= file.sizeBytes;
  }
  for (const file of removed) rmSync(file.path, { force: true });
  return removed.map((file) => file.path);
}

/** Nothing if another thread rotated it away in this moment. */
function rotatedFile(directory: string, number: number): RotatedFile[] {
  const path = join(directory, rotatedLogName(number));
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? [] : [{ path, changedAtMs: stats.mtimeMs, sizeBytes: stats.size }];
}
