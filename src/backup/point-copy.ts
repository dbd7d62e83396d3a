// Copies a point, which the broker has made, to a directory of its own: sealed segments by second names where the file system has
// them, everything else as far as it counts.
import { mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { realDisk } from "../platform/real-disk.ts";
import { writeCheckpoint } from "../storage/checkpoint.ts";
import { type PartitionPoint, type PointSegment, pointName } from "../storage/index.ts";
import { markName } from "../storage/mark.ts";
import type { StoredConsumer } from "../storage/offsets.ts";
import { segmentNames } from "../storage/segment.ts";
import { type CopyOptions, copyPart, copyWhole, linkWhole, syncDirectory, writeDurably } from "./file-copies.ts";

export interface PointCopyOptions extends CopyOptions {
  /** Of the point. */
  readonly from: string;
  /** A directory that is there. */
  readonly to: string;
  /** Whether sealed segments may have two names. */
  readonly mayLink: boolean;
  /** Told before the first byte. */
  readonly onTotal: (sizeBytes: number) => void;
}

export interface CopiedPoint {
  readonly partitionsCount: number;
  readonly sizeBytes: number;
  /** Of these, what has a second name. */
  readonly linkedBytes: number;
}

const silentLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Everything is durable when it resolves, but for the name of `to`. */
export async function copyPoint(options: PointCopyOptions): Promise<CopiedPoint> {
  const { from, to, onTotal } = options;
  const directories = await partitionsIn(from);
  let sizeBytes = 0;
  // Read again when its turn comes: a list of offsets may be long.
  for (const directory of directories) {
    const { segments } = await readPoint(directory);
    for (const { logBytes } of segments) sizeBytes += logBytes;
  }
  onTotal(sizeBytes);
  const made = new Set<string>();
  const makeDirectory = async (path: string) => {
    await mkdir(path, { recursive: true });
    for (let directory = path; directory !== to && !made.has(directory); directory = dirname(directory)) {
      made.add(directory);
    }
  };
  await makeDirectory(join(to, "state"));
  for (const name of await readdir(join(from, "state"))) {
    await copyWhole(join(from, "state", name), join(to, "state", name), { ...options, onBytes: () => undefined });
  }
  let linkedBytes = 0;
  for (const directory of directories) {
    const target = join(to, relative(from, directory));
    await makeDirectory(target);
    linkedBytes += await new PartitionCopy(options, directory, target, makeDirectory).run(await readPoint(directory));
  }
  for (const path of made) await syncDirectory(path);
  await syncDirectory(to);
  return { partitionsCount: directories.length, sizeBytes, linkedBytes };
}

/** One partition; segment by segment, so that little is open and nothing is held. */
class PartitionCopy {
  readonly #options: PointCopyOptions;
  readonly #from: string;
  readonly #to: string;
  readonly #makeDirectory: (path: string) => Promise<void>;

  constructor(options: PointCopyOptions, from: string, to: string, makeDirectory: (path: string) => Promise<void>) {
    this.#options = options;
    this.#from = from;
    this.#to = to;
    this.#makeDirectory = makeDirectory;
  }

  /** Bytes that have a second name. */
  async run({ segments, offsets }: PartitionPoint): Promise<number> {
    let linkedBytes = 0;
    for (const segment of segments) {
      const isSealed = segment !== segments.at(-1);
      if (await this.#copySegment(segment, isSealed)) linkedBytes += segment.logBytes;
    }
    const names = await readdir(this.#from);
    const silent = { ...this.#options, onBytes: () => undefined };
    if (names.includes(markName)) await copyWhole(join(this.#from, markName), join(this.#to, markName), silent);
    for (const offset of offsets) await this.#writeOffset(offset);
    const active = segments.at(-1);
    if (active !== undefined && active.logBytes > 0) {
      const checkpoint = { segmentStartOffset: active.startOffset, position: active.logBytes };
      writeCheckpoint(realDisk, this.#to, checkpoint, silentLog);
    }
    return linkedBytes;
  }

  /** Whether its log has a second name. A sealed log does not change; its index may be put right by the broker. */
  async #copySegment({ startOffset, logBytes, indexBytes }: PointSegment, isSealed: boolean): Promise<boolean> {
    const { log, index } = segmentNames(startOffset);
    const [from, to] = [join(this.#from, log), join(this.#to, log)];
    const silent = { ...this.#options, onBytes: () => undefined };
    await copyPart(join(this.#from, index), join(this.#to, index), indexBytes, silent);
    const isWhole = isSealed && Bun.file(from).size === logBytes;
    if (isWhole && this.#options.mayLink && (await linkWhole(from, to, this.#options))) return true;
    await copyPart(from, to, logBytes, this.#options);
    return false;
  }

  async #writeOffset({ kind, id, storedOffset }: StoredConsumer): Promise<void> {
    const directory = join(this.#to, "offsets", kind === "consumer" ? "consumers" : "groups");
    await this.#makeDirectory(directory);
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(storedOffset));
    await writeDurably(join(directory, String(id)), bytes);
  }
}

async function readPoint(directory: string): Promise<PartitionPoint> {
  return JSON.parse(await readFile(join(directory, pointName), "utf8")) as PartitionPoint;
}

/** Directories of partitions, below this one. */
async function partitionsIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const item of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, item.name);
    if (item.isDirectory()) found.push(...(await partitionsIn(path)));
    else if (item.name === pointName) found.push(directory);
  }
  return found;
}
