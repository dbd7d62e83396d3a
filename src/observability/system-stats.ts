// What the operating system says of this process and its machine (spec SB 8.2). Linux answers everything; elsewhere what
// cannot be had is 0.
import { readFileSync, statfsSync } from "node:fs";
import os from "node:os";

export interface SystemStats {
  readonly processId: number;
  /** Of one CPU: several busy threads give more than 100. */
  readonly cpuUsagePercent: number;
  readonly totalCpuUsagePercent: number;
  readonly memoryUsageBytes: number;
  readonly totalMemoryBytes: number;
  readonly availableMemoryBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly threadsCount: number;
  readonly hostname: string;
  readonly osName: string;
  readonly osVersion: string;
  readonly kernelVersion: string;
  readonly freeDiskSpaceBytes: number;
  readonly totalDiskSpaceBytes: number;
}

/** Text of a file that this system may not have. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function numberAfter(text: string, label: string): number {
  const match = new RegExp(`^${label}\\s*(\\d+)`, "m").exec(text);
  return match === null ? 0 : Number(match[1]);
}

interface CpuTimes {
  readonly atMs: number;
  readonly processMicros: number;
  readonly busyTicks: number;
  readonly totalTicks: number;
}

function cpuTimes(): CpuTimes {
  const { user, system } = process.cpuUsage();
  const ticks = (textOf("/proc/stat").split("\n")[0] ?? "").trim().split(/\s+/).slice(1, 9).map(Number);
  const totalTicks = ticks.reduce((sum, value) => sum + value, 0);
  const idleTicks = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { atMs: performance.now(), processMicros: user + system, busyTicks: totalTicks - idleTicks, totalTicks };
}

function osRelease(): { name: string; version: string } {
  const text = textOf("/etc/os-release");
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1];
  return { name: field("NAME") ?? os.type(), version: field("VERSION_ID") ?? os.release() };
}

/** Reads the numbers on demand; CPU usage is that since the previous reading (the first one: since `create`). */
export function createSystemStatsReader(dataDirectory: string): () => SystemStats {
  let before = cpuTimes();
  const release = osRelease();
  return () => {
    const now = cpuTimes();
    const elapsedMs = Math.max(now.atMs - before.atMs, 1);
    const ticks = now.totalTicks - before.totalTicks;
    const cpuUsagePercent = ((now.processMicros - before.processMicros) / 1000 / elapsedMs) * 100;
    const totalCpuUsagePercent = ticks === 0 ? 0 : ((now.busyTicks - before.busyTicks) / ticks) * 100;
    before = now;
    const memory = textOf("/proc/meminfo");
    const io = textOf("/proc/self/io");
    const disk = diskSpace(dataDirectory);
    return {
      processId: process.pid,
      cpuUsagePercent,
      totalCpuUsagePercent,
      memoryUsageBytes: process.memoryUsage.rss(),
      totalMemoryBytes: os.totalmem(),
      availableMemoryBytes: numberAfter(memory, "MemAvailable:") * 1024 || os.freemem(),
      readBytes: numberAfter(io, "read_bytes:"),
      writtenBytes: numberAfter(io, "write_bytes:"),
      threadsCount: numberAfter(textOf("/proc/self/status"), "Threads:"),
      hostname: os.hostname() || "unknown_hostname",
      osName: release.name || "unknown_os_name",
      osVersion: release.version || "unknown_os_version",
      kernelVersion: os.release() || "unknown_kernel_version",
      ...disk,
    };
  };
}

/** 0 when the file system does not say (spec SB 8.2). */
function diskSpace(directory: string): { freeDiskSpaceBytes: number; totalDiskSpaceBytes: number } {
  try {
    const { bsize, bavail, blocks } = statfsSync(directory);
    return { freeDiskSpaceBytes: bsize * bavail, totalDiskSpaceBytes: bsize * blocks };
  } catch {
    return { freeDiskSpaceBytes: 0, totalDiskSpaceBytes: 0 };
  }
}
