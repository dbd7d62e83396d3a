// Limits of control groups, read from directories that look as the kernel's do, and what follows from them.
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CgroupLimits, readCgroupLimits } from "../../src/config/cgroup.ts";
import { parseCpuAllocation, placeShards } from "../../src/config/cpu-allocation.ts";
import { flatTopology, withinCpuTime } from "../../src/config/cpu-topology.ts";
import { poolBytesWithin, withinMemory } from "../../src/config/memory-limit.ts";
import { inDirectory, load } from "./support.ts";

const mib = 1024 * 1024;
const version2 = "30 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const version1 = [
  "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755",
  "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
  "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
  "",
].join("\n");

/** The limits where these files are all there is; paths are as on a machine. */
async function limitsWith(files: Readonly<Record<string, string>>): Promise<CgroupLimits> {
  let limits: CgroupLimits | undefined;
  await inDirectory((directory) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    limits = readCgroupLimits({ process: join(directory, "proc/self"), mounts: directory });
  });
  if (limits === undefined) throw new Error("nothing was read");
  return limits;
}

describe("the limits of a control group", () => {
  test("of version 2 are the lowest of the own group and those around it", async () => {
    const files = {
      "proc/self/mountinfo": version2,
      "proc/self/cgroup": "0::/system.slice/whippet.service\n",
      "sys/fs/cgroup/system.slice/whippet.service/cpu.max": "250000 100000\n",
      "sys/fs/cgroup/system.slice/whippet.service/memory.max": "max\n",
      "sys/fs/cgroup/system.slice/cpu.max": "max 100000\n",
      "sys/fs/cgroup/system.slice/memory.max": `${768 * mib}\n`,
    };
    expect(await limitsWith(files)).toEqual({ cpus: 2.5, memoryBytes: 768 * mib });
    const around = { ...files, "sys/fs/cgroup/system.slice/cpu.max": "50000 100000\n" };
    expect((await limitsWith(around)).cpus).toBe(0.5);
  });

  test("of a container with a namespace of its own stand at the mount point", async () => {
    const files = {
      "proc/self/mountinfo": version2,
      "proc/self/cgroup": "0::/\n",
      "sys/fs/cgroup/cpu.max": "200000 100000\n",
      "sys/fs/cgroup/memory.max": "536870912\n",
    };
    expect(await limitsWith(files)).toEqual({ cpus: 2, memoryBytes: 512 * mib });
  });

  test("of version 1 are those of each controller, which may be mounted below another root", async () => {
    const docker = version1.replaceAll(" / /sys/fs/cgroup/", " /docker/abc /sys/fs/cgroup/");
    for (const [mountinfo, path, below] of [
      [version1, "/jobs/one", "/jobs/one"],
      [docker, "/docker/abc", ""],
      [docker, "/docker/abc/inner", "/inner"],
    ] as const) {
      const files = {
        "proc/self/mountinfo": mountinfo,
        "proc/self/cgroup": `5:devices:/\n4:memory:${path}\n3:cpu,cpuacct:${path}\n0::/\n`,
        [`sys/fs/cgroup/cpu,cpuacct${below}/cpu.cfs_quota_us`]: "150000\n",
        [`sys/fs/cgroup/cpu,cpuacct${below}/cpu.cfs_period_us`]: "50000\n",
        [`sys/fs/cgroup/memory${below}/memory.limit_in_bytes`]: "1073741824\n",
      };
      expect(await limitsWith(files)).toEqual({ cpus: 3, memoryBytes: 1024 * mib });
    }
  });

  test("are none where the kernel says none, or nothing, or what is no limit", async () => {
    const none = { cpus: undefined, memoryBytes: undefined };
    expect(await limitsWith({})).toEqual(none);
    expect(await limitsWith({ "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": "garbage\n" })).toEqual(none);
    const unlimited = {
      "proc/self/mountinfo": version1 + version2,
      "proc/self/cgroup": "4:memory:/\n3:cpu,cpuacct:/\n0::/\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "sys/fs/cgroup/cpu.max": "max 100000\n",
      "sys/fs/cgroup/memory.max": "max\n",
    };
    expect(await limitsWith(unlimited)).toEqual(none);
  });

  test("of a mount point with a space in its path are found", async () => {
    const files = {
      "proc/self/mountinfo": version2.replace("/sys/fs/cgroup", "/my\\040groups"),
      "proc/self/cgroup": "0::/\n",
      "my groups/memory.max": "1048576\n",
    };
    expect(await limitsWith(files)).toEqual({ cpus: undefined, memoryBytes: mib });
  });
});

describe("what follows from limits", () => {
  const shardsOf = (allocation: string, cpus: number | undefined) =>
    placeShards(parseCpuAllocation(allocation), withinCpuTime(flatTopology(8), { cpus, memoryBytes: undefined }))
      .length;

  test("shards that nobody has counted are as many as whole CPUs of time, and at least one", () => {
    for (const allocation of ["numa:auto", "all"]) {
      const counts = [undefined, 100, 2.5, 2, 1.9, 0.1].map((cpus) => shardsOf(allocation, cpus));
      expect(counts).toEqual([8, 8, 2, 2, 1, 1]);
    }
  });

  test("shards that somebody has counted stay", () => {
    expect(["4", "2..5", "numa:nodes=0;cores=6"].map((allocation) => shardsOf(allocation, 1))).toEqual([4, 3, 6]);
  });

  test("the memory pool is at most half of the memory, in whole pages, and never next to nothing", () => {
    const configured = 4096 * mib;
    const sizes = [undefined, 16_384 * mib, 1024 * mib, 1024 * mib + 4097, mib].map((bytes) =>
      poolBytesWithin(configured, bytes),
    );
    expect(sizes).toEqual([configured, configured, 512 * mib, 512 * mib, 64 * mib]);
    expect(poolBytesWithin(600 * mib, 2048 * mib)).toBe(600 * mib);
  });

  test("nothing else of the configuration changes", () => {
    const { config } = load({});
    expect(withinMemory(config, undefined)).toBe(config);
    const smaller = withinMemory(config, 1024 * mib);
    expect(smaller.system.memoryPool).toEqual({ ...config.system.memoryPool, sizeBytes: 512 * mib });
    const { memoryPool, ...system } = smaller.system;
    expect(config).toEqual({ ...smaller, system: { ...system, memoryPool: config.system.memoryPool } });
    expect(memoryPool).not.toBe(config.system.memoryPool);
  });
});
