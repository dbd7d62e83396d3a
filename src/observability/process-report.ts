/** What the process file system tells of the machine and of this process (Linux; spec SB 8.3, process_list). */
import { readdir, readFile } from "node:fs/promises";

const machineFiles = [
  "/proc/cpuinfo",
  "/proc/meminfo",
  "/proc/vmstat",
  "/proc/loadavg",
  "/proc/stat",
  "/proc/interrupts",
  "/proc/net/dev",
  "/proc/net/tcp",
  "/proc/net/tcp6",
  "/proc/net/udp",
  "/proc/net/udp6",
  "/proc/mounts",
] as const;

/** Not `environ`: it may hold the root password or the encryption key. */
const processFiles = ["status", "stat", "limits", "io"] as const;

/** Threads of a process are shown up to this number; a machine has more processes than this one to tell about. */
const threadsMax = 256;
const fileBytesMax = 256 * 1024;

/** Sections with the file's name above; a file that cannot be read says why. */
export async function processReport(): Promise<string> {
  const paths = [...machineFiles, ...processFiles.map((name) => `/proc/self/${name}`)];
  for (const thread of (await threadIds()).slice(0, threadsMax)) paths.push(`/proc/self/task/${thread}/status`);
  const sections = await Promise.all(paths.map(async (path) => `--- ${path} ---\n${await textOf(path)}\n`));
  return sections.join("\n");
}

async function threadIds(): Promise<string[]> {
  try {
    return await readdir("/proc/self/task");
  } catch {
    return []; // no process file system here; the sections above say so
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).slice(0, fileBytesMax);
  } catch (error) {
    return `not available: ${error instanceof Error ? error.message : String(error)}\n`;
  }
}
