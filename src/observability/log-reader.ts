// Lines of the log files, newest first from any place, and those that come from now on. A place is a file and a byte in it; the file
// is known by its inode, which stays when it is rotated to another name, so that a link to a line holds until the line is removed.
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { LOG_LEVELS, type LogLevel } from "./log.ts";
import { type LogFileSettings, logFileMark } from "./log-file.ts";
import { parseLogLine } from "./log-line.ts";
import { logFileName, rotatedLogName, rotatedLogNumbers } from "./log-names.ts";

export interface LogLine {
  /** Place of its first byte. */
  readonly at: string;
  /** As written; null for what is no line of the logger. */
  readonly time: string | null;
  readonly level: LogLevel | null;
  readonly target: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface LogFilter {
  /** And all that are worse. */
  readonly level: LogLevel;
  /** And all below it; empty: any. */
  readonly target: string;
  /** Part of the line, in any case; empty: any. */
  readonly q: string;
}

export interface LogPart {
  /** Newest first. */
  readonly lines: readonly LogLine[];
  /** Where to go on; undefined: there is nothing older. */
  readonly before: string | undefined;
  /** Where what is written from now on begins; undefined: there is no file yet. */
  readonly end: string | undefined;
  readonly scannedBytes: number;
}

export interface NewLines {
  /** Oldest first. */
  readonly lines: readonly LogLine[];
  /** More came than is read at a time: so many bytes are left out. */
  readonly skippedBytes: number;
  /** Where the next ones begin. */
  readonly end: string | undefined;
}

interface Place {
  readonly inode: number;
  readonly byte: number;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: number;
  readonly sizeBytes: number;
}

const blockBytes = 256 * 1024;
const scannedBytesMax = 8 * 1024 * 1024;
/** Of a longer line the end is no line of its own: nothing of it is found. */
const lineBytesMax = 1024 * 1024;
const followedBytesMax = 256 * 1024;
const newline = 10;

export class LogReader {
  readonly #settings: LogFileSettings;

  constructor(settings: LogFileSettings) {
    this.#settings = settings;
  }

  /**
   * Lines that end before a place (`before`), or that one and those before it (`at`); the newest, if neither is given. Reads 8 MiB at
   * most. Undefined: the place is in no file any more.
   */
  async read(
    from: { readonly before?: string; readonly at?: string },
    filter: LogFilter,
    limit: number,
  ): Promise<LogPart | undefined> {
    const place = readPlace(from.before ?? from.at);
    if (place === "none") return undefined;
    const found = new Backwards(filter, limit);
    let isFound = place === undefined;
    let newest: string | undefined;
    for (const name of this.#names()) {
      const file = await this.#open(name);
      if (file === undefined) continue;
      newest ??= writePlace(file.inode, file.sizeBytes);
      try {
        if (!isFound && file.inode !== place?.inode) continue;
        const isHere = !isFound;
        isFound = true;
        const end = !isHere ? file.sizeBytes : from.at === undefined ? place!.byte : await endOfLine(file, place!.byte);
        await found.scan(file, Math.min(end, file.sizeBytes));
      } finally {
        await file.handle.close();
      }
      if (found.isFull) break;
    }
    return isFound ? { ...found.part(), end: newest } : undefined;
  }

  /** Those that are written from a place on; undefined: from the begin of the newest file. */
  follow(filter: LogFilter, from: string | undefined): LogFollower {
    const place = readPlace(from);
    const files = { open: (name: string) => this.#open(name), names: () => this.#names() };
    return new LogFollower(this.#settings.shared, filter, place === "none" ? undefined : place, files);
  }

  /** Newest first. */
  #names(): readonly string[] {
    return [logFileName, ...rotatedLogNumbers(this.#settings.directory).map(rotatedLogName)];
  }

  /** Undefined: it was rotated or removed in this moment, or nothing was logged yet. */
  async #open(name: string): Promise<OpenFile | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(join(this.#settings.directory, name), "r");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
    const { ino, size } = await handle.stat();
    return { handle, inode: ino, sizeBytes: size };
  }
}

interface Files {
  readonly open: (name: string) => Promise<OpenFile | undefined>;
  /** Newest first. */
  readonly names: () => readonly string[];
}

export class LogFollower {
  readonly #shared: SharedArrayBuffer;
  readonly #filter: LogFilter;
  readonly #files: Files;
  #place: Place | undefined;
  /** What was written since the place was taken is looked for once. */
  #mark = "";

  constructor(shared: SharedArrayBuffer, filter: LogFilter, place: Place | undefined, files: Files) {
    this.#shared = shared;
    this.#filter = filter;
    this.#place = place;
    this.#files = files;
  }

  /** Whether something was written since the last reading: a look at shared memory. */
  get hasMore(): boolean {
    return logFileMark(this.#shared) !== this.#mark;
  }

  /** What was written since the last time, at most the newest 256 KiB of each file. */
  async next(): Promise<NewLines> {
    this.#mark = logFileMark(this.#shared);
    const lines: LogLine[] = [];
    let skippedBytes = 0;
    for (const file of await this.#newFiles()) {
      const { handle, inode, sizeBytes } = file;
      try {
        let start = inode === this.#place?.inode ? this.#place.byte : 0;
        if (sizeBytes - start > followedBytesMax) {
          skippedBytes += sizeBytes - followedBytesMax - start;
          start = sizeBytes - followedBytesMax;
        }
        const bytes = await readAt(handle, start, sizeBytes - start);
        const end = bytes.lastIndexOf(newline) + 1;
        lines.push(...linesOf(bytes.subarray(0, end), inode, start).filter((line) => fits(line, this.#filter)));
        this.#place = { inode, byte: start + end };
      } finally {
        await handle.close();
      }
    }
    const place = this.#place;
    return { lines, skippedBytes, end: place && writePlace(place.inode, place.byte) };
  }

  /** From the file of the place on, oldest first. */
  async #newFiles(): Promise<OpenFile[]> {
    const files: OpenFile[] = [];
    for (const name of this.#files.names()) {
      const file = await this.#files.open(name);
      if (file === undefined) continue;
      files.unshift(file);
      if (this.#place === undefined || file.inode === this.#place.inode) break;
    }
    return files;
  }
}

/** Collects lines from the end of files on. */
class Backwards {
  readonly #filter: LogFilter;
  readonly #limit: number;
  readonly #lines: LogLine[] = [];
  #scannedBytes = 0;
  #before: string | undefined;

  constructor(filter: LogFilter, limit: number) {
    this.#filter = filter;
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#lines.length >= this.#limit || this.#scannedBytes >= scannedBytesMax;
  }

  /** Lines of the file that end at or before the byte `end`. */
  async scan({ handle, inode }: OpenFile, end: number): Promise<void> {
    let position = end;
    /** Begin of a line whose end is known. */
    let rest = new Uint8Array(0);
    while (position > 0 && !this.isFull) {
      const start = Math.max(0, position - blockBytes);
      const block = await readAt(handle, start, position - start);
      this.#scannedBytes += block.byteLength;
      const bytes = Buffer.concat([block, rest]);
      const first = start === 0 ? 0 : bytes.indexOf(newline) + 1;
      rest = first === 0 && start > 0 ? bytes.subarray(0, lineBytesMax) : bytes.subarray(0, first);
      const whole = first === 0 && start > 0 ? [] : linesOf(bytes.subarray(first), inode, start + first);
      for (const line of whole.reverse()) {
        if (this.#lines.length >= this.#limit) break;
        this.#before = line.at;
        if (fits(line, this.#filter)) this.#lines.push(line);
      }
      position = start;
      // Its line may be long over: what is carried counts as read once.
      if (rest.byteLength > 0) rest = Uint8Array.from(rest);
    }
    if (position > 0 && this.#before === undefined) this.#before = writePlace(inode, position);
  }

  part(): Omit<LogPart, "end"> {
    return { lines: this.#lines, before: this.isFull ? this.#before : undefined, scannedBytes: this.#scannedBytes };
  }
}

function linesOf(bytes: Uint8Array, inode: number, start: number): LogLine[] {
  const lines: LogLine[] = [];
  let position = 0;
  while (position < bytes.byteLength) {
    const found = bytes.indexOf(newline, position);
    const end = found === -1 ? bytes.byteLength : found;
    if (end > position) {
      const text = new TextDecoder().decode(bytes.subarray(position, end));
      lines.push({ at: writePlace(inode, start + position), ...parseLogLine(text) });
    }
    position = end + 1;
  }
  return lines;
}

function fits(line: LogLine, { level, target, q }: LogFilter): boolean {
  if (line.level !== null && LOG_LEVELS.indexOf(line.level) > LOG_LEVELS.indexOf(level)) return false;
  if (target !== "" && line.target !== target && !line.target.startsWith(`${target}::`)) return false;
  if (q === "") return true;
  const fields = Object.entries(line.fields).map(([name, value]) => `${name}=${value}`);
  return [line.target, line.text, ...fields].join(" ").toLowerCase().includes(q.toLowerCase());
}

/** Behind the line break of the line that begins at `byte`. */
async function endOfLine({ handle, sizeBytes }: OpenFile, byte: number): Promise<number> {
  for (let position = byte; position < sizeBytes; position += blockBytes) {
    const bytes = await readAt(handle, position, Math.min(blockBytes, sizeBytes - position));
    const end = bytes.indexOf(newline);
    if (end !== -1) return position + end + 1;
  }
  return sizeBytes;
}

async function readAt(handle: FileHandle, position: number, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  const { bytesRead } = await handle.read(bytes, 0, sizeBytes, position);
  return bytes.subarray(0, bytesRead);
}

function writePlace(inode: number, byte: number): string {
  return `${inode}.${byte}`;
}

function readPlace(text: string | undefined): Place | "none" | undefined {
  if (text === undefined) return undefined;
  const [, inode, byte] = /^(\d{1,20})\.(\d{1,15})$/.exec(text) ?? [];
  return inode === undefined ? "none" : { inode: Number(inode), byte: Number(byte) };
}
