// What the kernel says about a process.
import { readdirSync, readFileSync } from "node:fs";

/** Resident memory of a process. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (match === null) throw new Error(`process ${pid} has no VmRSS`);
  return Number(match[1]) * 1024;
}

export function descriptorsCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
