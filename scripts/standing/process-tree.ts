// What Linux says of a process and of those that it has started.
import { readdirSync, readFileSync } from "node:fs";
import { descriptorCount, residentBytes } from "../../tests/support/process-facts.ts";

/** Processes that it has started itself. */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
    } catch {
      return []; // a thread that has ended since
    }
  });
}

/** A process and all that it has started, whichever of them did. */
export function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

/** Resident memory of all of them together, in bytes. */
export function treeBytes(pid: number): number {
  return treeOf(pid).reduce((sum, each) => sum + residentBytes(each), 0);
}

/** Open descriptors of all of them together. */
export function treeDescriptors(pid: number): number {
  return treeOf(pid).reduce((sum, each) => sum + descriptorCount(each), 0);
}

/** Processor time of a process since it was started, of all its threads, in seconds. */
export function cpuSecondsOf(pid: number): number {
  return secondsIn(`/proc/${pid}/stat`);
}

/** Processor time of all of them together since they were started, in seconds. */
export function treeSeconds(pid: number): number {
  return treeOf(pid).reduce((sum, each) => sum + cpuSecondsOf(each), 0);
}

/** Processor time of the one thread of a process that has taken most of it. */
export function busiestThreadSeconds(pid: number): number {
  return Math.max(...readdirSync(`/proc/${pid}/task`).map((task) => secondsIn(`/proc/${pid}/task/${task}/stat`)));
}

/** Of a process or a thread. */
function secondsIn(statPath: string): number {
  /** USER_HZ of Linux: the unit of times in /proc. */
  const ticksPerSecond = 100;
  // The fields behind the name, which is in brackets: user and system time are the 12th and 13th of them.
  const fields = readFileSync(statPath, "utf8").split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
