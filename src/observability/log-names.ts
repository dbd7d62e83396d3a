/** Names and limits of the log files in their directory (spec SB 8.6). */
import { readdirSync } from "node:fs";
import { resolve } from "node:path";

export const logFileName = "iggy-server.log";

const rotatedPattern = /^iggy-server\.log\.([1-9][0-9]{0,8})$/;
const rotatedFilesLimit = 100_000;

/** `logging.path` below the data directory, wherever the process was started (spec SB 13, trap 66). */
export function logDirectory(systemPath: string, loggingPath: string): string {
  return resolve(systemPath, loggingPath);
}

/** 1 is the newest. */
export function rotatedLogName(number: number): string {
  return `${logFileName}.${number}`;
}

/** Ascending: from the newest to the oldest. Empty if the directory is missing; other failures throw. */
export function rotatedLogNumbers(directory: string): number[] {
  const numbers: number[] = [];
  for (const name of namesIn(directory)) {
    const match = rotatedPattern.exec(name);
    if (match !== null) numbers.push(Number(match[1]));
  }
  return numbers.sort((left, right) => left - right);
}

/** How many rotated files are kept: as many full ones as fit (spec SB 8.6). 0 bytes in total: no limit. */
export function rotatedFilesMax(totalBytesMax: number, fileBytesMax: number): number {
  if (totalBytesMax === 0) return rotatedFilesLimit;
  if (fileBytesMax === 0) return 1;
  return Math.min(Math.max(Math.floor(totalBytesMax / fileBytesMax), 1), rotatedFilesLimit);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
