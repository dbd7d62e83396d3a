// Whole directories of messages leave their place in one step: a rename, after which the number is free and nothing is half
// gone, whatever happens. What was deleted is deleted for real later; what nobody named is kept where an operator finds it.
import { dirname, join, relative } from "node:path";
import { type Disk, DiskError, freePath } from "../platform/disk.ts";
import { type Random, systemRandom } from "../platform/random.ts";
import type { DirectoryRemoval, StorageLog } from "../storage/index.ts";

/** In the streams directory, where names of streams are numbers. */
export const removedDirectoryName = ".removed";
export const lostAndFoundName = "lost+found";
/** What backups are copied from, as long as they are copied (`backup-points.ts`). */
export const backupPointsName = ".backup";

const nameBytes = 8;

export interface TakenDirectoriesOptions {
  readonly disk: Disk;
  readonly streamsDirectory: string;
  /** For names; the system's when absent. */
  readonly random?: Random | undefined;
  readonly log?: StorageLog | undefined;
}

export class TakenDirectories implements DirectoryRemoval {
  readonly #options: TakenDirectoriesOptions;
  readonly #removed: string;
  readonly #lostAndFound: string;
  /** What could not be deleted, and was said. */
  readonly #stubborn = new Set<string>();
  #deleting: Promise<void> | undefined;
  #isMore = false;

  constructor(options: TakenDirectoriesOptions) {
    this.#options = options;
    this.#removed = join(options.streamsDirectory, removedDirectoryName);
    this.#lostAndFound = join(options.streamsDirectory, lostAndFoundName);
  }

  /** See `DirectoryRemoval`; `deleteRemoved` deletes what is in it. Throws `DiskError`: it is where it was. */
  remove(directory: string): void {
    const failure = this.removeAll([directory]);
    if (failure !== undefined) throw failure;
  }

  /** The same for several, with few syncs. The first failure, if there is one: what it concerns is where it was. */
  removeAll(directories: readonly string[]): DiskError | undefined {
    return this.#move(directories.map((from) => ({ from, to: this.#unusedName() })));
  }

  /** See `DirectoryRemoval`. Where it is now, whose name tells where it was. Throws `DiskError`: it is where it was. */
  setAside(directory: string): string {
    const { disk, streamsDirectory } = this.#options;
    const name = relative(dirname(streamsDirectory), directory).replaceAll("/", "-");
    const place = freePath(disk, join(this.#lostAndFound, name));
    const failure = this.#move([{ from: directory, to: place }]);
    if (failure !== undefined) throw failure;
    return place;
  }

  /**
   * Deletes what was removed, also before a restart. Never rejects: what cannot be deleted is tried again by the next call. A
   * call while one is at work makes it look once more.
   */
  deleteRemoved(): Promise<void> {
    this.#isMore = true;
    this.#deleting ??= this.#deleteAll().finally(() => {
      this.#deleting = undefined;
    });
    return this.#deleting;
  }

  async #deleteAll(): Promise<void> {
    while (this.#isMore) {
      this.#isMore = false;
      for (const name of this.#removedNames()) await this.#delete(join(this.#removed, name));
    }
  }

  #removedNames(): string[] {
    try {
      return this.#options.disk.list(this.#removed);
    } catch (thrown) {
      this.#notDeleted(this.#removed, thrown);
      return [];
    }
  }

  async #delete(path: string): Promise<void> {
    try {
      await this.#options.disk.removeTree(path);
      this.#stubborn.delete(path);
    } catch (thrown) {
      this.#notDeleted(path, thrown);
    }
  }

  #notDeleted(path: string, thrown: unknown): void {
    const error = asDiskError(thrown).message;
    if (this.#stubborn.has(path)) return;
    this.#stubborn.add(path);
    this.#options.log?.warn("what was deleted still takes room", { path, error });
  }

  #unusedName(): string {
    const { disk, random = systemRandom } = this.#options;
    const bytes = Buffer.alloc(nameBytes);
    for (;;) {
      random.fill(bytes);
      const path = join(this.#removed, bytes.toString("hex"));
      if (!disk.exists(path)) return path;
    }
  }

  /** Into one directory. The first failure. */
  #move(moves: readonly Move[]): DiskError | undefined {
    const { disk, streamsDirectory } = this.#options;
    const [first] = moves;
    if (first === undefined) return undefined;
    let failure: DiskError | undefined;
    const moved: Move[] = [];
    const target = dirname(first.to);
    try {
      if (!disk.exists(target)) {
        disk.makeDirectory(target);
        disk.syncDirectory(streamsDirectory);
      }
      for (const move of moves) {
        try {
          disk.rename(move.from, move.to);
          moved.push(move);
        } catch (thrown) {
          failure ??= asDiskError(thrown);
        }
      }
      // What is lost on the way is to be found again; what is removed is not.
      if (target === this.#lostAndFound) disk.syncDirectory(target);
      for (const path of parentsOf(moved)) disk.syncDirectory(path);
      return failure;
    } catch (thrown) {
      for (const move of moved) this.#moveBack(move);
      return asDiskError(thrown);
    }
  }

  /** A name that may come back after a power loss is not free. */
  #moveBack({ from, to }: Move): void {
    try {
      this.#options.disk.rename(to, from);
    } catch (thrown) {
      const error = asDiskError(thrown).message;
      this.#options.log?.error("a directory is neither at its place nor durably away", { directory: from, to, error });
    }
  }
}

interface Move {
  readonly from: string;
  readonly to: string;
}

function parentsOf(moves: readonly Move[]): Set<string> {
  return new Set(moves.map(({ from }) => dirname(from)));
}

/** Anything else is a fault of the program, and thrown. */
function asDiskError(thrown: unknown): DiskError {
  if (thrown instanceof DiskError) return thrown;
  throw thrown;
}
