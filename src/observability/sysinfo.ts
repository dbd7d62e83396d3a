/** The line with which the broker shows now and then what it uses (spec SB 8.4). */
import { readdirSync } from "node:fs";
import type { SystemStats } from "./system-stats.ts";

/** What the operating system does not know. */
export interface SysinfoTotals {
  readonly clientsCount: number;
  readonly messagesCount: number;
  readonly messagesSizeBytes: number;
  /** Undefined where the system does not say. */
  readonly openFilesCount: number | undefined;
}

/** One line without its line break, in the words of the original except for its name. */
export function formatSysinfo(stats: SystemStats, totals: SysinfoTotals): string {
  const freeMemory = stats.totalMemoryBytes === 0 ? 0 : (stats.availableMemoryBytes / stats.totalMemoryBytes) * 100;
  const usedMemoryBytes = stats.totalMemoryBytes - stats.availableMemoryBytes;
  const parts = [
    `CPU: ${percent(stats.cpuUsagePercent)}/${percent(stats.totalCpuUsagePercent)} (Usage/Total)`,
    `Mem: ${percent(freeMemory)}/${bytes(stats.memoryUsageBytes)}/${bytes(usedMemoryBytes)}/${bytes(stats.totalMemoryBytes)} (Free/Usage/TotalUsed/Total)`,
    `Disk: ${bytes(stats.freeDiskSpaceBytes)}/${bytes(stats.totalDiskSpaceBytes)} (Free/Total)`,
    `Stored: ${bytes(totals.messagesSizeBytes)}`,
    `Clients: ${totals.clientsCount}`,
    `Messages: ${totals.messagesCount}`,
    `Read: ${bytes(stats.readBytes)}`,
    `Written: ${bytes(stats.writtenBytes)}`,
  ];
  if (stats.threadsCount > 0) parts.push(`Threads: ${stats.threadsCount}`);
  if (totals.openFilesCount !== undefined) parts.push(`OpenFDs: ${totals.openFilesCount}`);
  return parts.join(", ");
}

/** Open file descriptors of this process; undefined where the system does not say. */
export function countOpenFiles(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length - 1; // one is that of this reading
  } catch {
    return undefined; // no process file system here
  }
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

function bytes(value: number): string {
  let scaled = value;
  let unit = 0;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${scaled.toFixed(2)} ${units[unit]}`;
}
