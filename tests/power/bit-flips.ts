// One bit of one file is wrong, and the broker starts: what it may say and serve then.
import type { MemoryDisk } from "../storage/memory-disk.ts";
import { diskOf, type SeenPartition, type SeenStart, startInMemory } from "./memory-start.ts";

export interface Flip {
  readonly path: string;
  readonly bit: number;
}

/** Consumers of `small-directory.ts`. */
const consumers = ["consumer 7", "group 0"];

/**
 * Files in which a flipped bit need not be noticed: an offset is eight bytes of which every value is one, as in the original;
 * and what is kept for the case that a newer file is lost is not read while that file is whole.
 */
const needsNoLine = /\/offsets\/|\.previous$/;

/** A directory whose bits are flipped one at a time, and what a start on it gives when none is. */
export class BitFlips {
  readonly #files: ReadonlyMap<string, Uint8Array>;
  readonly #right: SeenStart;

  private constructor(files: ReadonlyMap<string, Uint8Array>, right: SeenStart) {
    this.#files = files;
    this.#right = right;
  }

  /** `files`: of the data directory, by path. Those that neither metadata nor storage reads are left out. */
  static async of(files: ReadonlyMap<string, Uint8Array>): Promise<BitFlips> {
    const read = new Map([...files].filter(([path]) => /^(state\/metadata|streams\/)/.test(path)));
    return new BitFlips(read, await startInMemory(diskOf(read), consumers));
  }

  /** Every bit of every file. */
  all(): Flip[] {
    return [...this.#files].flatMap(([path, bytes]) =>
      Array.from({ length: bytes.byteLength * 8 }, (_, bit) => ({ path, bit })),
    );
  }

  /** What is wrong after a start on the directory with this bit flipped; nothing if all is as it may be. */
  async check(flip: Flip): Promise<{ readonly failures: readonly string[] }> {
    const disk = diskOf(this.#files);
    flipBit(disk, flip);
    let seen: SeenStart;
    try {
      seen = await startInMemory(disk, consumers);
    } catch (error) {
      return { failures: [`does not start, or cannot be read: ${error}`] };
    }
    return { failures: this.#compare(flip, seen) };
  }

  #compare({ path }: Flip, seen: SeenStart): string[] {
    const failures: string[] = [];
    if (seen.metadata !== this.#right.metadata) failures.push("the metadata are others");
    let lostCount = 0;
    for (const [name, right] of this.#right.partitions) {
      const partition = seen.partitions.get(name);
      if (partition === undefined) {
        failures.push(`${name} is gone`);
        continue;
      }
      lostCount += countLost(right, partition);
      failures.push(...comparePartitions(name, right, partition, path.includes("/offsets/")));
    }
    const lostMax = path.endsWith(".log") && path.startsWith("streams/") ? 1 : 0;
    if (lostCount > lostMax) failures.push(`${lostCount} messages are lost`);
    const isSilent = seen.lines.length <= this.#right.lines.length;
    if (isSilent && !needsNoLine.test(path)) failures.push("no line says what was found");
    return failures;
  }
}

function flipBit(disk: MemoryDisk, { path, bit }: Flip): void {
  const full = `/data/${path}`;
  const bytes = disk.read(full);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  disk.put(full, bytes);
}

function countLost(right: SeenPartition, seen: SeenPartition): number {
  return [...right.messages.keys()].filter((offset) => !seen.messages.has(offset)).length;
}

function comparePartitions(name: string, right: SeenPartition, seen: SeenPartition, hasOtherOffset: boolean): string[] {
  const failures: string[] = [];
  for (const [offset, bytes] of seen.messages) {
    if (right.messages.get(offset) !== bytes) failures.push(`${name}, offset ${offset} has other bytes`);
  }
  // A last message whose length is wrong cannot be told from one that was never written to its end.
  if (seen.nextOffset !== right.nextOffset && seen.nextOffset !== right.nextOffset - countLost(right, seen)) {
    failures.push(`${name} goes on at offset ${seen.nextOffset} instead of ${right.nextOffset}`);
  }
  for (const [consumer, offset] of right.offsets) {
    if (seen.offsets.get(consumer) !== offset && !hasOtherOffset) {
      failures.push(`${name}: offset of ${consumer} is ${seen.offsets.get(consumer)} instead of ${offset}`);
    }
  }
  return failures;
}
