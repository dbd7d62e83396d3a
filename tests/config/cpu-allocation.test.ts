import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import {
  type CpuAllocation,
  CpuAllocationError,
  formatCpuAllocation,
  parseCpuAllocation,
  placeShards,
} from "../../src/config/cpu-allocation.ts";
import { parseCpuList, readCpuTopology } from "../../src/config/cpu-topology.ts";
import { inDirectory } from "./support.ts";

/** Two nodes, four CPUs each, two threads a core: siblings are n and n + 4. */
const twoNodes = {
  nodes: [
    { id: 0, cpus: [0, 1, 4, 5], physicalCpus: [0, 1] },
    { id: 1, cpus: [2, 3, 6, 7], physicalCpus: [2, 3] },
  ],
};
const cpus = (text: string) => placeShards(parseCpuAllocation(text), twoNodes).map(({ cpu, node }) => `${cpu}@${node}`);

describe("placing shards", () => {
  test.each([
    ["all", "0@0 1@0 2@1 3@1 4@0 5@0 6@1 7@1"],
    ["3", "0@0 1@0 2@1"],
    ["1..3", "1@0 2@1"],
    ["numa:auto", "0@0 1@0 2@1 3@1"],
    ["numa:nodes=1", "2@1 3@1"],
    ["numa:cores=1", "0@0 2@1"],
    ["numa:nodes=1,0;cores=1", "2@1 0@0"],
    ["numa:nodes=0;cores=4;no_ht=false", "0@0 1@0 4@0 5@0"],
    ["numa:no_ht=false;cores=3", "0@0 1@0 4@0 2@1 3@1 6@1"],
  ])("%s", (text, want) => expect(cpus(text).join(" ")).toBe(want));

  test.each(["9", "7..9", "numa:nodes=2", "numa:cores=3", "numa:cores=5;no_ht=false"])("%s does not fit", (text) =>
    expect(() => cpus(text)).toThrow(CpuAllocationError));

  test.each([
    "",
    "0",
    "-1",
    "1.5",
    "3..3",
    "3..1",
    "..4",
    "numa",
    "numa:",
    "numa:nodes=",
    "numa:nodes=0,0",
    "numa:x=1",
    "numa:no_ht=1",
  ])("%j is refused", (text) => expect(() => parseCpuAllocation(text)).toThrow(CpuAllocationError));
});

test("the shown allocation parses to the same allocation", () => {
  const nodes = fc.option(fc.uniqueArray(fc.nat({ max: 64 }), { minLength: 1 }), { nil: undefined });
  const allocation: fc.Arbitrary<CpuAllocation> = fc.oneof(
    fc.constantFrom<CpuAllocation>({ kind: "all" }, { kind: "numaAuto" }),
    fc.record({ kind: fc.constant("count" as const), count: fc.integer({ min: 1, max: 1024 }) }),
    fc
      .tuple(fc.nat({ max: 99 }), fc.integer({ min: 1, max: 99 }))
      .map(([start, length]) => ({ kind: "range" as const, start, end: start + length })),
    fc.record({ kind: fc.constant("numa" as const), nodes, cores: fc.nat({ max: 64 }), noHyperThreads: fc.boolean() }),
  );
  fc.assert(fc.property(allocation, (each) => expect(parseCpuAllocation(formatCpuAllocation(each))).toEqual(each)));
});

describe("the machine's topology", () => {
  test("CPU lists of the kernel are read", () => {
    expect(parseCpuList("0-2,8,10-11\n")).toEqual([0, 1, 2, 8, 10, 11]);
    expect(parseCpuList("")).toEqual([]);
  });

  const fake = (directory: string, files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    return readCpuTopology({ sys: directory, status: join(directory, "status") });
  };

  test("nodes, hyper-threads and the allowed CPUs come from /sys and /proc", () =>
    inDirectory((directory) => {
      const siblings = (cpu: number, list: string) => [`cpu/cpu${cpu}/topology/thread_siblings_list`, list] as const;
      const files = {
        "node/node0/cpulist": "0-1,4-5\n",
        "node/node1/cpulist": "2-3,6-7\n",
        "node/node2/cpulist": "\n",
        status: "Name:\tbun\nCpus_allowed_list:\t1-7\n",
        ...Object.fromEntries(
          [0, 1, 2, 3].flatMap((n) => [siblings(n, `${n},${n + 4}`), siblings(n + 4, `${n},${n + 4}`)]),
        ),
      };
      // CPU 0 is not allowed, so its core's first usable thread is 4.
      expect(fake(directory, files)).toEqual({
        nodes: [
          { id: 0, cpus: [1, 4, 5], physicalCpus: [1, 4] },
          { id: 1, cpus: [2, 3, 6, 7], physicalCpus: [2, 3] },
        ],
      });
    }));

  test("without node directories the online CPUs are one node", () =>
    inDirectory((directory) => {
      const want = { id: 0, cpus: [0, 1, 2], physicalCpus: [0, 1, 2] };
      expect(fake(directory, { "cpu/online": "0-2" })).toEqual({ nodes: [want] });
    }));

  test("without /sys it is flat", () =>
    inDirectory((directory) => {
      const topology = readCpuTopology({ sys: join(directory, "absent"), status: join(directory, "absent") });
      expect(topology.nodes.map((node) => node.cpus.length)).toEqual([navigator.hardwareConcurrency]);
    }));

  test("this machine has at least one shard", () => {
    expect(placeShards({ kind: "numaAuto" }, readCpuTopology()).length).toBeGreaterThanOrEqual(1);
  });
});
