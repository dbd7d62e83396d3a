// `system.sharding.cpu_allocation`: how many shards run and on which CPU each of them is pinned (spec SB 2.1). The text
// is parsed once; placing shards needs the machine's topology, which comes in from outside.

/** A parsed `cpu_allocation`. Absent NUMA parts mean: all nodes, all of the first node's cores. */
export type CpuAllocation =
  | { readonly kind: "all" }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "range"; readonly start: number; readonly end: number }
  | { readonly kind: "numaAuto" }
  | {
      readonly kind: "numa";
      readonly nodes: readonly number[] | undefined;
      /** Cores per node; 0 means as many as the first node has. */
      readonly cores: number;
      readonly noHyperThreads: boolean;
    };

/** One NUMA node. */
export interface NumaNode {
  readonly id: number;
  /** Every CPU of the node, ascending. */
  readonly cpus: readonly number[];
  /** The first CPU of each physical core, ascending. */
  readonly physicalCpus: readonly number[];
}

/** The CPUs that this process may use, by node. */
export interface CpuTopology {
  readonly nodes: readonly NumaNode[];
  /** Most shards where the allocation names no number: the CPU time that the process may take, in whole CPUs. */
  readonly shardsMax?: number;
}

/** Where one shard runs. */
export interface ShardPlacement {
  readonly cpu: number;
  readonly node: number;
}

/** An allocation that cannot be read or does not fit the machine; the message is the rule. */
export class CpuAllocationError extends Error {
  override readonly name = "CpuAllocationError";
}

const GRAMMAR = "must be all, a number, a range such as 0..4, numa:auto or numa:nodes=0,1;cores=4;no_ht=true";

function parseNuma(parts: string): CpuAllocation {
  let nodes: number[] | undefined;
  let cores = 0;
  let noHyperThreads = true;
  for (const part of parts.split(";")) {
    const [, key, value = ""] = /^\s*(nodes|cores|no_ht)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    if (key === "nodes" && /^\d+(\s*,\s*\d+)*$/.test(value)) {
      nodes = value.split(",").map(Number);
      if (new Set(nodes).size !== nodes.length) throw new CpuAllocationError("must name each NUMA node once");
    } else if (key === "cores" && /^\d+$/.test(value)) cores = Number(value);
    else if (key === "no_ht" && (value === "true" || value === "false")) noHyperThreads = value === "true";
    else throw new CpuAllocationError(GRAMMAR);
  }
  return { kind: "numa", nodes, cores, noHyperThreads };
}

/** Reads `all`, `N`, `a..b`, `numa:auto` or `numa:…`; throws `CpuAllocationError`. */
export function parseCpuAllocation(text: string): CpuAllocation {
  const trimmed = text.trim();
  if (trimmed === "all") return { kind: "all" };
  if (trimmed === "numa:auto") return { kind: "numaAuto" };
  if (trimmed.startsWith("numa:")) return parseNuma(trimmed.slice("numa:".length));
  if (/^\d+$/.test(trimmed)) {
    const count = Number(trimmed);
    if (count === 0) throw new CpuAllocationError("must be at least 1 shard");
    return { kind: "count", count };
  }
  const range = /^(\d+)\.\.(\d+)$/.exec(trimmed);
  if (range === null) throw new CpuAllocationError(GRAMMAR);
  const start = Number(range[1]);
  const end = Number(range[2]);
  if (start >= end) throw new CpuAllocationError("must be a range whose start is below its end (the end is exclusive)");
  return { kind: "range", start, end };
}

/** The text that parses to the same allocation. */
export function formatCpuAllocation(allocation: CpuAllocation): string {
  switch (allocation.kind) {
    case "all":
      return "all";
    case "count":
      return String(allocation.count);
    case "range":
      return `${allocation.start}..${allocation.end}`;
    case "numaAuto":
      return "numa:auto";
    case "numa": {
      const nodes = allocation.nodes === undefined ? [] : [`nodes=${allocation.nodes.join(",")}`];
      return `numa:${[...nodes, `cores=${allocation.cores}`, `no_ht=${allocation.noHyperThreads}`].join(";")}`;
    }
  }
}

function placeNuma(allocation: CpuAllocation & { kind: "numa" }, topology: CpuTopology): ShardPlacement[] {
  const nodes = (allocation.nodes ?? topology.nodes.map((node) => node.id)).map((id) => {
    const node = topology.nodes.find((candidate) => candidate.id === id);
    if (node === undefined) {
      throw new CpuAllocationError(`must name existing NUMA nodes (${topology.nodes.map((n) => n.id).join(", ")})`);
    }
    return { id, cpus: allocation.noHyperThreads ? node.physicalCpus : node.cpus };
  });
  const cores = allocation.cores === 0 ? (nodes[0]?.cpus.length ?? 0) : allocation.cores;
  return nodes.flatMap((node) => {
    if (node.cpus.length < cores) {
      throw new CpuAllocationError(`must ask for at most ${node.cpus.length} cores on NUMA node ${node.id}`);
    }
    return node.cpus.slice(0, cores).map((cpu) => ({ cpu, node: node.id }));
  });
}

/**
 * One placement per shard, shard 0 first. Counts and ranges count the CPUs that the process may use, and hold whatever CPU
 * time it may take; `all` and `numa:auto` keep to that. Throws `CpuAllocationError` when the machine has too few.
 */
export function placeShards(allocation: CpuAllocation, topology: CpuTopology): readonly ShardPlacement[] {
  const all = topology.nodes
    .flatMap((node) => node.cpus.map((cpu) => ({ cpu, node: node.id })))
    .sort((left, right) => left.cpu - right.cpu);
  switch (allocation.kind) {
    case "all":
      return all.slice(0, topology.shardsMax);
    case "count":
      if (allocation.count > all.length) throw new CpuAllocationError(`must be at most ${all.length}, the CPU count`);
      return all.slice(0, allocation.count);
    case "range":
      if (allocation.end > all.length)
        throw new CpuAllocationError(`must end at ${all.length} or below, the CPU count`);
      return all.slice(allocation.start, allocation.end);
    case "numaAuto":
      return topology.nodes
        .flatMap((node) => node.physicalCpus.map((cpu) => ({ cpu, node: node.id })))
        .slice(0, topology.shardsMax);
    case "numa":
      return placeNuma(allocation, topology);
  }
}
