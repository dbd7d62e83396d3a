/**
 * A disk in memory that fails, tears writes and forgets what was not synced, all by the seed of its simulation.
 *
 * What a crash leaves:
 * - `crash()` (power loss): of each file its synced content, and of each unsynced write all, nothing, a prefix, or some of
 *   its 512-byte sectors (`sim-content.ts`); of names what `syncDirectory` made durable, and a prefix of the pending changes
 *   of each directory (`sim-names.ts`). Syncing a file does not make its name durable.
 * - `processCrash()` (kill -9): everything that the operating system had taken; it is as unsynced as it was.
 *
 * A crash in the middle of an operation: `stopAfter(n)` lets n more changing calls through; the one after it is torn (a
 * write leaves a prefix, anything else did not happen), and it and all later calls fail with EIO, because the machine that
 * ran them is gone. `crash()` or `processCrash()` of such a disk then gives the disk that the next start finds.
 *
 * Faults on demand: descriptors, rights, room, files that cannot be read (`sim-faults.ts`), writes and syncs that fail. What
 * is at rest can change by itself (`flipBits`).
 *
 * A directory whose own name was lost takes along what was in it. Asynchronous calls settle when the simulation runs.
 */
import { type Disk, DiskError, type DiskFile, type OpenMode } from "../disk.ts";
import { SimContent, tornPrefix } from "./sim-content.ts";
import { type CallFault, SimFaults, type SimOperation } from "./sim-faults.ts";
import { type FileOwner, SimFile } from "./sim-file.ts";
import { parentOf, SimNames, type SimNode } from "./sim-names.ts";
import type { Simulation } from "./simulation.ts";

export interface FlippedBit {
  readonly path: string;
  readonly position: number;
  readonly bit: number;
}

export class SimDisk implements Disk, FileOwner {
  readonly simulation: Simulation;
  readonly #names: SimNames;
  readonly #faults = new SimFaults();
  #spaceBytes = Number.POSITIVE_INFINITY;
  #writesUntilError = Number.POSITIVE_INFINITY;
  #syncsUntilError = Number.POSITIVE_INFINITY;
  #changesUntilStop = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(simulation: Simulation, names: SimNames = new SimNames()) {
    this.simulation = simulation;
    this.#names = names;
  }

  /** The machine came to its `stopAfter`. */
  get stopped(): boolean {
    return this.#stopped;
  }

  // Faults on demand. Each stays until `heal`, except a single failing write or sync.

  /** Files may grow by this many bytes; the write that needs more lands in part and fails with ENOSPC, as do all later ones. */
  fillUpAfter(bytes: number): void {
    this.#spaceBytes = bytes;
  }

  /** The write after `count` others lands in part and fails with EIO, once. */
  failWriteAfter(count: number): void {
    this.#writesUntilError = count;
  }

  /** The sync of a file after `count` others fails with EIO, once; what it should have covered may be lost for good. */
  failSyncAfter(count: number): void {
    this.#syncsUntilError = count;
  }

  /** The machine ends in the changing call (write, sync, truncation, change of a name) after `count` others. */
  stopAfter(count: number): void {
    this.#changesUntilStop = count;
  }

  /** Such calls fail until `heal`, and change nothing. */
  failCalls(fault: CallFault): void {
    this.#faults.add(fault);
  }

  /** While so many files are open, what needs one more descriptor fails with EMFILE. */
  limitDescriptors(countMax: number): void {
    this.#faults.limitDescriptors(countMax);
  }

  /** Files that are open now. */
  get openFilesCount(): number {
    return this.#faults.openCount;
  }

  /** Blocks that the files which are meant, or all, hold behind their ends. */
  reservedBytes(isMeant: (path: string) => boolean = () => true): number {
    const files = this.#names.files().filter(([path]) => isMeant(path));
    return files.reduce((sum, [, { allocatedBytes, sizeBytes }]) => sum + allocatedBytes - sizeBytes, 0);
  }

  /** Flips bits drawn at random from all bytes of the files that are meant; fewer where there are none. */
  flipBits(count: number, isMeant: (path: string) => boolean): FlippedBit[] {
    const files = this.#names.files().filter(([path]) => isMeant(path));
    const totalBytes = files.reduce((sum, [, { sizeBytes }]) => sum + sizeBytes, 0);
    if (totalBytes === 0) return [];
    return Array.from({ length: count }, () => {
      let position = this.simulation.between(0, totalBytes - 1);
      const bit = this.simulation.between(0, 7);
      for (const [path, content] of files) {
        if (position < content.sizeBytes) {
          content.flipBit(position, bit);
          return { path, position, bit };
        }
        position -= content.sizeBytes;
      }
      throw new Error("a position is in one of the files");
    });
  }

  heal(): void {
    this.#faults.clear();
    this.#spaceBytes = Number.POSITIVE_INFINITY;
    this.#writesUntilError = Number.POSITIVE_INFINITY;
    this.#syncsUntilError = Number.POSITIVE_INFINITY;
    if (!this.#stopped) this.#changesUntilStop = Number.POSITIVE_INFINITY;
  }

  /** The disk after a power loss. This one must not be used any more. */
  crash(): SimDisk {
    const names = this.#names.afterPowerLoss(this.simulation, (content) => content.afterPowerLoss(this.simulation));
    this.#stopped = true;
    return new SimDisk(this.simulation, names);
  }

  /** The disk after a power loss that takes everything that it may. This one must not be used any more. */
  loseUnsynced(): SimDisk {
    this.#stopped = true;
    return new SimDisk(
      this.simulation,
      this.#names.synced((content) => content.synced()),
    );
  }

  /** The disk after kill -9. This one must not be used any more. */
  processCrash(): SimDisk {
    const names = this.#names.afterProcessCrash((content) => content.afterProcessCrash());
    this.#stopped = true;
    return new SimDisk(this.simulation, names);
  }

  open(path: string, mode: OpenMode): DiskFile {
    this.requireRunning("open", path);
    const found = this.#names.get(path);
    if (found === "directory") throw new DiskError("open", path, "EISDIR");
    if (found !== undefined) {
      this.checkFaults("open", path);
      return new SimFile(this, path, found, mode);
    }
    if (mode !== "create" || this.#names.get(parentOf(path)) !== "directory") {
      throw new DiskError("open", path, "ENOENT");
    }
    this.checkFaults("create", path);
    this.beforeChange("open", path);
    const content = SimContent.empty();
    this.#names.change(parentOf(path), [[path, content]]);
    return new SimFile(this, path, content, mode);
  }

  exists(path: string): boolean {
    return this.#names.get(path) !== undefined;
  }

  list(directory: string): string[] {
    this.requireRunning("list", directory);
    if (this.#names.get(directory) !== undefined) this.checkFaults("list", directory);
    return this.#names.children(directory).map((path) => path.slice(path.lastIndexOf("/") + 1));
  }

  makeDirectory(path: string): void {
    this.requireRunning("makeDirectory", path);
    const found = this.#names.get(path);
    if (found === "directory") return;
    if (found !== undefined) throw new DiskError("makeDirectory", path, "EEXIST");
    this.makeDirectory(parentOf(path));
    this.checkFaults("makeDirectory", path);
    this.beforeChange("makeDirectory", path);
    this.#names.change(parentOf(path), [[path, "directory"]]);
  }

  remove(path: string): void {
    this.requireRunning("remove", path);
    const found = this.#names.get(path);
    if (found === undefined) return;
    if (found === "directory") throw new DiskError("remove", path, "EISDIR");
    this.checkFaults("remove", path);
    this.beforeChange("remove", path);
    this.#names.change(parentOf(path), [[path, undefined]]);
  }

  removeTree(path: string): Promise<void> {
    return this.later(() => {
      this.requireRunning("removeTree", path);
      this.#removeBelow(path);
    });
  }

  rename(from: string, to: string): void {
    this.requireRunning("rename", from);
    const node: SimNode | undefined = this.#names.get(from);
    if (node === undefined) throw new DiskError("rename", from, "ENOENT");
    if (this.#names.get(parentOf(to)) !== "directory") throw new DiskError("rename", from, "ENOENT");
    const replaced = this.#names.get(to);
    if (node === "directory" && replaced !== undefined) throw new DiskError("rename", from, "ENOTEMPTY");
    if (node !== "directory" && replaced === "directory") throw new DiskError("rename", from, "EISDIR");
    this.checkFaults("rename", from);
    this.beforeChange("rename", from);
    this.#names.rename(from, to, node);
  }

  /** Its file system knows no second names. */
  link(from: string): never {
    throw new DiskError("link", from, "ENOTSUP");
  }

  syncDirectory(path: string): void {
    this.requireRunning("syncDirectory", path);
    if (this.#names.get(path) !== "directory") throw new DiskError("syncDirectory", path, "ENOENT");
    this.checkFaults("syncDirectory", path);
    this.beforeChange("syncDirectory", path);
    this.#names.syncDirectory(path);
  }

  // For SimFile.

  opened(change: 1 | -1): void {
    this.#faults.openCount += change;
  }

  checkFaults(operation: SimOperation, path: string): void {
    this.#faults.check(operation, path, this.simulation);
  }

  /** Whether there was room. */
  reserve(content: SimContent, path: string, end: number): boolean {
    const addedBytes = end - content.allocatedBytes;
    if (addedBytes <= 0) return true;
    try {
      this.checkFaults("reserve", path);
      this.beforeChange("reserve", path);
    } catch (error) {
      if (error instanceof DiskError) return false; // as the real one: it is never needed
      throw error;
    }
    if (addedBytes > this.#spaceBytes) return false;
    this.#spaceBytes -= addedBytes;
    content.reserve(end);
    return true;
  }

  requireRunning(operation: string, path: string): void {
    if (this.#stopped) throw new DiskError(operation, path, "EIO");
  }

  /** Counts a changing call; the one that ends the machine throws and must not take effect. */
  beforeChange(operation: string, path: string): void {
    this.requireRunning(operation, path);
    if (this.#changesUntilStop-- > 0) return;
    this.#stopped = true;
    throw new DiskError(operation, path, "EIO");
  }

  writeTo(content: SimContent, path: string, bytes: Uint8Array, position: number): void {
    const growthBytes = Math.max(0, position + bytes.byteLength - content.allocatedBytes);
    let failure: DiskError | undefined;
    try {
      this.beforeChange("write", path);
      if (this.#writesUntilError-- === 0) failure = new DiskError("write", path, "EIO");
      else if (growthBytes > this.#spaceBytes) failure = new DiskError("write", path, "ENOSPC");
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      failure = error;
    }
    if (failure === undefined) {
      this.#spaceBytes -= growthBytes;
      content.write(bytes, position);
      return;
    }
    const fittingBytes = bytes.byteLength - Math.max(0, growthBytes - this.#spaceBytes);
    const landed = tornPrefix(content.sizeBytes, bytes.subarray(0, fittingBytes), position, this.simulation);
    this.#spaceBytes -= Math.max(0, position + landed.byteLength - content.allocatedBytes);
    content.write(landed, position);
    throw failure;
  }

  truncate(content: SimContent, path: string, sizeBytes: number): void {
    this.checkFaults("truncate", path);
    this.beforeChange("truncate", path);
    this.#spaceBytes += Math.max(0, content.allocatedBytes - sizeBytes);
    content.truncate(sizeBytes);
  }

  /** The part of a sync that happens when it ends. */
  endSync(content: SimContent, path: string, mark: number): void {
    this.beforeChange("sync", path);
    if (this.#syncsUntilError-- === 0) {
      content.syncFailed(mark, this.simulation);
      throw new DiskError("sync", path, "EIO");
    }
    content.syncedUpTo(mark);
  }

  /** Runs `work` when the simulation says so and settles with what it gives or throws. */
  later<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.simulation.schedule(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #removeBelow(path: string): void {
    if (this.#names.get(path) === undefined) return;
    this.checkFaults("removeTree", path);
    for (const child of this.#names.children(path)) this.#removeBelow(child);
    this.beforeChange("removeTree", path);
    this.#names.change(parentOf(path), [[path, undefined]]);
  }
}
