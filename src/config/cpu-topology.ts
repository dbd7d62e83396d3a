// Reads the machine's CPUs from Linux' /sys: NUMA nodes, physical cores, and which CPUs this process may use.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CgroupLimits } from "./cgroup.ts";
import type { CpuTopology, NumaNode } from "./cpu-allocation.ts";

/** Reads a kernel CPU list such as `0-3,8,10-11`, ascending. */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  for (const part of text.trim().split(",")) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    if (first === undefined) continue;
    for (let cpu = Number(first); cpu <= Number(last ?? first); cpu++) cpus.push(cpu);
  }
  return cpus.sort((left, right) => left - right);
}

/** The file's text; undefined where the system does not have it (another system, a locked-down container). */
function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function nodeIds(nodesPath: string): number[] {
  try {
    return readdirSync(nodesPath)
      .flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((left, right) => left - right);
  } catch {
    return [];
  }
}

/** A topology without hyper-threads or NUMA: one node with this many CPUs. */
export function flatTopology(cpuCount: number): CpuTopology {
  const cpus = Array.from({ length: cpuCount }, (_, cpu) => cpu);
  return { nodes: [{ id: 0, cpus, physicalCpus: cpus }] };
}

/**
 * The topology of this machine, cut down to the CPUs that the process may use. Where /sys says nothing (macOS,
 * containers without it) it is flat, with `navigator.hardwareConcurrency` CPUs. The paths exist for tests.
 */
export function readCpuTopology(
  paths: { sys: string; status: string } = { sys: "/sys/devices/system", status: "/proc/self/status" },
): CpuTopology {
  const allowedList = /^Cpus_allowed_list:\s*(\S+)/m.exec(readOptional(paths.status) ?? "")?.[1];
  const allowed = allowedList === undefined ? undefined : new Set(parseCpuList(allowedList));
  const isAllowed = (cpu: number): boolean => allowed === undefined || allowed.has(cpu);

  const isFirstOfCore = (cpu: number): boolean => {
    const siblings = readOptional(join(paths.sys, `cpu/cpu${cpu}/topology/thread_siblings_list`));
    if (siblings === undefined) return true;
    return (parseCpuList(siblings).filter(isAllowed)[0] ?? cpu) === cpu;
  };
  const toNode = (id: number, list: string): NumaNode => {
    const cpus = parseCpuList(list).filter(isAllowed);
    return { id, cpus, physicalCpus: cpus.filter(isFirstOfCore) };
  };

  const nodesPath = join(paths.sys, "node");
  let nodes = nodeIds(nodesPath).map((id) => toNode(id, readOptional(join(nodesPath, `node${id}/cpulist`)) ?? ""));
  if (nodes.length === 0) nodes = [toNode(0, readOptional(join(paths.sys, "cpu/online")) ?? "")];
  // A node of memory alone has no CPUs and no shards.
  nodes = nodes.filter((node) => node.cpus.length > 0);
  return nodes.length === 0 ? flatTopology(navigator.hardwareConcurrency) : { nodes };
}

/**
 * The topology under the limits of a control group: no more shards by themselves than whole CPUs of time, but at least one.
 * More would only be throttled in turns, each while others wait for it.
 */
export function withinCpuTime(topology: CpuTopology, { cpus }: CgroupLimits): CpuTopology {
  return cpus === undefined ? topology : { ...topology, shardsMax: Math.max(1, Math.floor(cpus)) };
}
