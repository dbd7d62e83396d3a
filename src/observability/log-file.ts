/**
 * Log files: `iggy-server.log` and older ones, `iggy-server.log.1` the newest of them (spec SB 8.6).
 *
 * Every thread has a `LogFile` of its own on the same path and writes each line with one call in append mode, so lines of
 * several threads never mix, nothing waits in a queue, and a process that dies has written all it said. What the threads
 * must agree on stands in shared memory: who rotates (a lock), how many bytes the file has, in which hour it was begun, and
 * a generation that grows with every rotation; a thread that sees a new generation opens the path again. A thread that
 * loses the race for the lock writes into the file that was just renamed, which only means that its line is in the older one.
 *
 * Losing the log must not stop the server: an error is reported once on stderr, and again only after a write succeeded.
 */
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { logFileName, rotatedLogName, rotatedLogNumbers } from "./log-names.ts";

/** Positions in the shared memory, in 64-bit words. */
const Word = { lock: 0, generation: 1, sizeBytes: 2, hour: 3 } as const;
const wordsCount = 4;
const msPerHour = 3_600_000;

export interface LogFileSettings {
  readonly directory: string;
  /**
   * The file is rotated before it would grow beyond, and every hour; 0: never rotated. What other threads write while one
   * rotates comes on top.
   */
  readonly fileBytesMax: number;
  /** Rotated files that are kept, see `rotatedFilesMax`. */
  readonly rotatedFilesMax: number;
  /** From `createLogFileState`; the same on every thread. */
  readonly shared: SharedArrayBuffer;
}

/** What the threads share of one log file. Made once, by the main thread. */
export function createLogFileState(): SharedArrayBuffer {
  return new SharedArrayBuffer(wordsCount * BigInt64Array.BYTES_PER_ELEMENT);
}

/** Differs from what it was before when something was written, on any thread. A look at shared memory. */
export function logFileMark(shared: SharedArrayBuffer): string {
  const words = new BigInt64Array(shared);
  return `${Atomics.load(words, Word.generation)}.${Atomics.load(words, Word.sizeBytes)}`;
}

/** The log names users, addresses and objects: it is for the broker's user only, as the data files are. */
const fileMode = 0o600;
const directoryMode = 0o700;

export interface LogFileDependencies {
  readonly nowMs?: () => number;
  /** Takes one line; standard error when absent. */
  readonly reportError?: (line: string) => void;
}

export class LogFile {
  readonly #settings: LogFileSettings;
  readonly #path: string;
  readonly #shared: BigInt64Array;
  readonly #nowMs: () => number;
  readonly #reportError: (line: string) => void;
  #fd: number | undefined;
  #generation = -1n;
  #hasReported = false;

  /** Touches nothing until the first line. */
  constructor(settings: LogFileSettings, dependencies: LogFileDependencies = {}) {
    this.#settings = settings;
    this.#path = join(settings.directory, logFileName);
    this.#shared = new BigInt64Array(settings.shared);
    this.#nowMs = dependencies.nowMs ?? Date.now;
    this.#reportError = dependencies.reportError ?? ((line) => void process.stderr.write(`${line}\n`));
  }

  /** Writes one line, given without its line break. Never throws. */
  append(line: string): void {
    try {
      const bytes = Buffer.from(`${line}\n`, "utf8");
      this.#openIfNeeded();
      if (this.#isRotationDue(bytes.byteLength)) this.#rotateUnlessBusy();
      writeWhole(this.#openIfNeeded(), bytes);
      Atomics.add(this.#shared, Word.sizeBytes, BigInt(bytes.byteLength));
      this.#hasReported = false;
    } catch (error) {
      this.#report("cannot be written; its lines are lost until it can", error);
    }
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    this.#generation = -1n;
    if (fd === undefined) return;
    try {
      closeSync(fd);
    } catch (error) {
      this.#report("cannot be written; its lines are lost until it can", error);
    }
  }

  #openIfNeeded(): number {
    const isCurrent = this.#generation === Atomics.load(this.#shared, Word.generation);
    if (this.#fd !== undefined && isCurrent) return this.#fd;
    this.close();
    this.#adoptExisting();
    // Before the file is opened: a rotation in between makes this thread open it once more, not stay with the old one.
    const generation = Atomics.load(this.#shared, Word.generation);
    mkdirSync(this.#settings.directory, { recursive: true, mode: directoryMode });
    const fd = openSync(this.#path, "a", fileMode);
    this.#fd = fd;
    this.#generation = generation;
    return fd;
  }

  /** The first thread of the process goes on with the file of an earlier one, which counts from its last change on. */
  #adoptExisting(): void {
    if (Atomics.load(this.#shared, Word.generation) !== 0n || !this.#lock()) return;
    try {
      if (Atomics.load(this.#shared, Word.generation) !== 0n) return;
      const stats = statSync(this.#path, { throwIfNoEntry: false });
      Atomics.store(this.#shared, Word.sizeBytes, BigInt(stats?.size ?? 0));
      Atomics.store(this.#shared, Word.hour, hourOf(stats?.mtimeMs ?? this.#nowMs()));
      Atomics.store(this.#shared, Word.generation, 1n);
    } finally {
      this.#unlock();
    }
  }

  #isRotationDue(lineBytes: number): boolean {
    const { fileBytesMax } = this.#settings;
    if (fileBytesMax === 0) return false;
    const sizeBytes = Number(Atomics.load(this.#shared, Word.sizeBytes));
    if (sizeBytes === 0) {
      Atomics.store(this.#shared, Word.hour, hourOf(this.#nowMs()));
      return false; // an empty file is never rotated
    }
    return sizeBytes + lineBytes > fileBytesMax || Atomics.load(this.#shared, Word.hour) !== hourOf(this.#nowMs());
  }

  /** After a failure the file goes on for another hour or size: not every line tries again. */
  #rotateUnlessBusy(): void {
    const seen = this.#generation;
    if (!this.#lock()) return;
    try {
      if (Atomics.load(this.#shared, Word.generation) !== seen) return; // another thread was faster
      try {
        this.#shiftNames();
      } catch (error) {
        this.#report("cannot be rotated", error);
      }
      Atomics.store(this.#shared, Word.sizeBytes, 0n);
      Atomics.store(this.#shared, Word.hour, hourOf(this.#nowMs()));
      Atomics.add(this.#shared, Word.generation, 1n); // last: who sees it finds the new file
    } finally {
      this.#unlock();
    }
  }

  /** Each older file moves up by one; the last that is kept is replaced. */
  #shiftNames(): void {
    const { directory, rotatedFilesMax } = this.#settings;
    const existing = new Set(rotatedLogNumbers(directory));
    let free = 1;
    while (existing.has(free) && free < rotatedFilesMax) free++;
    for (let number = free; number > 1; number--) {
      renameSync(join(directory, rotatedLogName(number - 1)), join(directory, rotatedLogName(number)));
    }
    renameSync(this.#path, join(directory, rotatedLogName(1)));
  }

  #lock(): boolean {
    return Atomics.compareExchange(this.#shared, Word.lock, 0n, 1n) === 0n;
  }

  #unlock(): void {
    Atomics.store(this.#shared, Word.lock, 0n);
  }

  #report(failure: string, error: unknown): void {
    if (this.#hasReported) return;
    this.#hasReported = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#reportError(`the log file ${this.#path} ${failure}: ${reason}`);
  }
}

function hourOf(timeMs: number): bigint {
  return BigInt(Math.floor(timeMs / msPerHour));
}

/** One call, as a rule: only a full disk or a signal makes it more. */
function writeWhole(fd: number, bytes: Uint8Array): void {
  let position = 0;
  while (position < bytes.byteLength) position += writeSync(fd, bytes, position);
}
