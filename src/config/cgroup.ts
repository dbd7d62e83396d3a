// Reads how much CPU and memory the control group of this process may use: what a container, a pod or a unit of systemd was
// given, which may be less than the machine has. Linux, cgroup v2 and v1, also both at once; elsewhere nothing is limited.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Undefined: no limit, or none that the system tells. */
export interface CgroupLimits {
  /** Processor time per time, in CPUs; may be a fraction such as 1.5. */
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Where the process file system and the mounts are; tests put directories of their own here. */
export interface CgroupPaths {
  /** Holds `cgroup` and `mountinfo`. */
  readonly process: string;
  /** Before every mount point. */
  readonly mounts: string;
}

/** Version 1 says "no limit" with the largest multiple of a page; nothing that large is a limit of anything. */
const noMemoryLimitBytes = 2 ** 60;

interface Mount {
  readonly directory: string;
  /** The group that is shown at the mount point: of a container without a namespace of its own, not the topmost. */
  readonly root: string;
  /** Empty for version 2, which has one tree for all. */
  readonly controllers: readonly string[];
}

/** Undefined where the system does not have the file, or keeps it from this process. */
function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The kernel writes a space in a path as `\040`, and three other characters likewise. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Mounts of control groups, from the text of `/proc/self/mountinfo`. */
function cgroupMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [own = "", other = ""] = line.split(" - ");
    const [, , , root, directory] = own.split(" ");
    const [type, , options = ""] = other.split(" ");
    if (root === undefined || directory === undefined || (type !== "cgroup" && type !== "cgroup2")) return [];
    const controllers = type === "cgroup" ? options.split(",") : [];
    return [{ directory: unescapePath(directory), root: unescapePath(root), controllers }];
  });
}

/** The directories of the group with this path and of those around it, which bind it too, as far as they are mounted. */
function directoriesOf(mount: Mount, path: string): string[] {
  const isBelow = mount.root === "/" || path === mount.root || path.startsWith(`${mount.root}/`);
  // Outside of what is mounted, the mount shows the nearest thing to the own group.
  const below = isBelow ? path.slice(mount.root === "/" ? 0 : mount.root.length) : "";
  const names = below.split("/").filter((name) => name !== "" && name !== "..");
  return Array.from({ length: names.length + 1 }, (_, count) => join(mount.directory, ...names.slice(0, count)));
}

/** CPUs from version 2's `cpu.max`: `max 100000`, or quota and period in µs. */
function cpusOf(directory: string): number | undefined {
  const [quota, period] = (readOptional(join(directory, "cpu.max")) ?? "").split(" ");
  return ratio(quota, period ?? "100000");
}

function cpusOfVersion1(directory: string): number | undefined {
  return ratio(
    readOptional(join(directory, "cpu.cfs_quota_us")),
    readOptional(join(directory, "cpu.cfs_period_us")) ?? "100000",
  );
}

/** Undefined unless both are numbers above 0: `max` and -1 stand for no limit. */
function ratio(quota: string | undefined, period: string): number | undefined {
  const value = Number(quota) / Number(period);
  return quota !== "" && Number.isFinite(value) && value > 0 ? value : undefined;
}

function bytesOf(path: string): number | undefined {
  const text = readOptional(path);
  if (text === undefined || !/^\d+$/.test(text)) return undefined; // `max`: no limit
  const value = Number(text);
  return value < noMemoryLimitBytes ? value : undefined;
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** The limits of this process: the lowest of its own group and of all around it. Never throws. */
export function readCgroupLimits(paths: CgroupPaths = { process: "/proc/self", mounts: "/" }): CgroupLimits {
  const mounts = cgroupMounts(readOptional(join(paths.process, "mountinfo")) ?? "").map((mount) => ({
    ...mount,
    directory: join(paths.mounts, mount.directory),
  }));
  const cpus: (number | undefined)[] = [];
  const memory: (number | undefined)[] = [];
  // Each line is number:controllers:path; version 2 has number 0 and no controllers.
  for (const line of (readOptional(join(paths.process, "cgroup")) ?? "").split("\n")) {
    const [, list, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (list === undefined || path === undefined) continue;
    const controllers = list === "" ? [] : list.split(",");
    const mount = mounts.find((each) =>
      controllers.length === 0
        ? each.controllers.length === 0
        : controllers.every((name) => each.controllers.includes(name)),
    );
    if (mount === undefined) continue;
    for (const directory of directoriesOf(mount, path)) {
      if (controllers.length === 0) {
        cpus.push(cpusOf(directory));
        memory.push(bytesOf(join(directory, "memory.max")));
      }
      if (controllers.includes("cpu")) cpus.push(cpusOfVersion1(directory));
      if (controllers.includes("memory")) memory.push(bytesOf(join(directory, "memory.limit_in_bytes")));
    }
  }
  return { cpus: least(cpus), memoryBytes: least(memory) };
}
