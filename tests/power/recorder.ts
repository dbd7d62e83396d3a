// The recording file system (recorder.c) as a child process: made with the C compiler, mounted, and unmounted.
import { closeSync, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Entry, readRecord } from "./record.ts";

const waitMs = 60_000;
const pollMs = 5;

/** Why nothing can be recorded on this machine, or undefined. */
export function whyNotRecordable(): string | undefined {
  if (process.platform !== "linux") return "FUSE file systems are made on Linux only";
  if (process.getuid?.() !== 0) return "only root mounts";
  if (statSync("/dev/fuse", { throwIfNoEntry: false }) === undefined) return "there is no /dev/fuse";
  if (Bun.spawnSync(["pkg-config", "--exists", "fuse3"]).exitCode !== 0) return "libfuse3-dev is not installed";
  return Bun.which("cc") === null ? "there is no C compiler" : undefined;
}

/** Makes the program in `directory` and gives its path. */
export function makeRecorder(directory: string): string {
  const flags = Bun.spawnSync(["pkg-config", "--cflags", "--libs", "fuse3"]).stdout.toString().trim().split(/\s+/);
  const program = join(directory, "recorder");
  const source = join(import.meta.dir, "recorder.c");
  const made = Bun.spawnSync(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source, ...flags]);
  if (made.exitCode !== 0) throw new Error(`the recorder could not be made: ${made.stderr}`);
  return program;
}

export class Recorder {
  /** Where the recorded file system is mounted. */
  readonly mount: string;
  /** The directory behind it: what it holds while the machine runs. */
  readonly backing: string;
  readonly #recordPath: string;
  readonly #process: Bun.Subprocess;
  readonly #recordFd: number;

  private constructor(mount: string, backing: string, recordPath: string, child: Bun.Subprocess) {
    this.mount = mount;
    this.backing = backing;
    this.#recordPath = recordPath;
    this.#process = child;
    this.#recordFd = openSync(recordPath, "r");
  }

  /** Mounts below `directory`; every sync there takes `syncDelayMicros`. */
  static async start(program: string, directory: string, syncDelayMicros: number): Promise<Recorder> {
    const [mount, backing, record] = ["mount", "backing", "record"].map((name) => join(directory, name));
    await mkdir(mount!, { recursive: true });
    await mkdir(backing!, { recursive: true });
    const before = statSync(mount!).dev;
    const child = Bun.spawn([program, backing!, mount!, record!, String(syncDelayMicros)], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    const deadlineMs = performance.now() + waitMs;
    while (statSync(mount!).dev === before) {
      if (child.exitCode !== null || performance.now() > deadlineMs) {
        child.kill("SIGKILL");
        throw new Error(`the recorder did not mount ${mount}`);
      }
      await Bun.sleep(pollMs);
    }
    return new Recorder(mount!, backing!, record!, child);
  }

  /** How long the record is now: all that has happened so far stands before it. */
  position(): number {
    return fstatSync(this.#recordFd).size;
  }

  /** Unmounts. */
  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    const inTime = await Promise.race([this.#process.exited.then(() => true), Bun.sleep(waitMs).then(() => false)]);
    closeSync(this.#recordFd);
    if (!inTime) throw new Error(`${this.mount} could not be unmounted`);
  }

  entries(): Generator<Entry> {
    return readRecord(readFileSync(this.#recordPath));
  }
}
