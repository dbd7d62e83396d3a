// The mark of a partition's directory says whose it is: numbers of streams, topics, partitions and groups are given again,
// so a directory or an offset file that a crash, a failure or a power loss left behind would otherwise be taken for that of
// the next one with its number. It is written before the first file of the partition, and again before the first offset
// file of each group; a partition that was never written has none.

import { type Disk, DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { removeDirectory, setDirectoryAside } from "./directory-removal.ts";
import { decodeMark, encodeMark, legacyLogId, type MarkContent, noGroups } from "./mark-format.ts";
import type { PartitionIdentity, StorageContext } from "./types.ts";

/** Name of its file in the directory of the partition. */
export const markName = "partition.mark";
const temporaryName = "partition.mark.tmp";
/** More than any mark needs: a longer file is none. */
const fileBytesMax = 64 * 1024 * 1024;

export class PartitionMark {
  readonly #context: StorageContext;
  readonly #directory: string;
  readonly #identity: PartitionIdentity;
  #logId: string | undefined;
  #nextOffset = 0;
  #groups: ReadonlyMap<number, string> = noGroups;
  /** Whether the file is there and says what this says. */
  #isOnDisk = false;
  #isUnsynced = false;
  /** Whether this process wrote the first one, and nothing of the partition is durable yet. */
  #isFresh = false;

  private constructor(context: StorageContext, directory: string, identity: PartitionIdentity) {
    this.#context = context;
    this.#directory = directory;
    this.#identity = identity;
    this.#logId = identity.logId;
  }

  /**
   * The mark of `directory`, which holds `names`. What lies there and belongs to another log is taken away first, and so is
   * what cannot be told: removed where a logged deletion names it, else set aside. `isOurs`: whether what was there is
   * still there. Throws `DiskError`: then nothing in the directory may be shown or written.
   */
  static open(
    context: StorageContext,
    directory: string,
    names: readonly string[],
    identity: PartitionIdentity,
  ): { readonly mark: PartitionMark; readonly isOurs: boolean } {
    const mark = new PartitionMark(context, directory, identity);
    if (isNothing(names)) return { mark, isOurs: false };
    const found = names.includes(markName) ? readMark(context, directory) : undefined;
    const isOurs = found === undefined ? identity.logId === undefined : found.content.logId === identity.logId;
    if (!isOurs) {
      takeAway(context, directory, identity, found?.content.logId ?? legacyLogId);
      return { mark, isOurs };
    }
    if (found === undefined) mark.#adopt(names.includes(markName));
    else mark.#take(found.content, found.isWhole);
    return { mark, isOurs };
  }

  /** The next offset is this or a later one, whatever files are left. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  get isUnsynced(): boolean {
    return this.#isUnsynced;
  }

  /** Nobody knows whether a sync covered the file that was found. */
  doubt(): void {
    this.#isUnsynced = this.#isOnDisk;
  }

  /** Before the first file of the partition, whose offsets begin at `nextOffset`. Throws `DiskError`. */
  beforeFirstFile(nextOffset: number): void {
    if (!this.#isOnDisk) this.#write(nextOffset, this.#groups);
  }

  /**
   * Numbers of the groups whose entries `beforeGroup(number)` takes away: those of groups that are gone. Their files must
   * durably be gone before: what says that a file is theirs is not there any more.
   */
  endedBefore(number: number): readonly number[] {
    const logId = this.#identity.groupLogId(number);
    return [...this.#groups].flatMap(([other, id]) => {
      const ownerNow = other === number ? logId : this.#identity.groupLogId(other);
      return ownerNow === id ? [] : [other];
    });
  }

  /**
   * Before the first offset file of a group. Throws `DiskError`, `ConsumerGroupIdNotFound` (5000) where the group is gone.
   */
  beforeGroup(number: number, nextOffset: number): void {
    const logId = this.#identity.groupLogId(number);
    if (logId === null) throw new IggyError("ConsumerGroupIdNotFound", [number]);
    if (this.#groups.get(number) === logId) return;
    // Those of groups that are gone say nothing any more.
    const groups = new Map([...this.#groups].filter(([other, id]) => this.#identity.groupLogId(other) === id));
    if (logId === undefined) groups.delete(number);
    else groups.set(number, logId);
    this.#write(nextOffset, groups);
  }

  /** Whether the offset file of the group with this number is that of the group which has the number now. */
  ownsGroup(number: number): boolean {
    return this.#groups.get(number) === this.#identity.groupLogId(number);
  }

  /** The directory was taken away: what is written from now on is another log. */
  startLog(logId: string | undefined): void {
    this.#logId = logId ?? this.#identity.logId;
    this.#nextOffset = 0;
    this.#groups = noGroups;
    this.#isOnDisk = false;
    this.#isUnsynced = false;
    this.#isFresh = false;
  }

  /** Makes it durable, blocking. Its name is durable with the directory's entries. Throws `DiskError`. */
  sync(): void {
    if (!this.#isUnsynced) return;
    this.#context.files.withRoom(() => {
      const file = this.#context.disk.open(`${this.#directory}/${markName}`, "read");
      try {
        file.syncNow();
      } finally {
        file.close();
      }
    });
    this.#isUnsynced = false;
    this.#isFresh = false;
  }

  /**
   * Of an older version: marked as its own. Not synced: where such a mark is lost, the log is adopted again. A failure is
   * only logged, for the same reason.
   */
  #adopt(wasDamaged: boolean): void {
    const { log } = this.#context;
    if (wasDamaged) log.error("damaged mark of a partition made anew", { directory: this.#directory });
    this.#tryWrite(() => {
      this.#writeFile({ logId: this.#logId, nextOffset: 0, groups: noGroups }, false);
      this.#isOnDisk = true;
    });
  }

  #take(content: MarkContent, isWhole: boolean): void {
    this.#nextOffset = content.nextOffset;
    this.#groups = content.groups;
    this.#isOnDisk = true;
    if (isWhole) return;
    this.#context.log.warn("mark of a partition repaired from its second copy", { directory: this.#directory });
    this.#tryWrite(() => this.#writeFile(content, true));
  }

  #tryWrite(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      this.#context.log.warn("mark of a partition not written", { directory: this.#directory, error: thrown.message });
    }
  }

  #write(nextOffset: number, groups: ReadonlyMap<number, string>): void {
    // What replaces a durable one is durable first; the first one is so at level sync, else with the data that follows it.
    const isFirst = !this.#isOnDisk || this.#isFresh;
    const isSynced = !isFirst || this.#context.options.acknowledge === "sync";
    this.#writeFile({ logId: this.#logId, nextOffset, groups }, isSynced);
    this.#isUnsynced = !isSynced;
    this.#isFresh = !isSynced;
    this.#nextOffset = nextOffset;
    this.#groups = groups;
    this.#isOnDisk = true;
  }

  #writeFile(content: MarkContent, isSynced: boolean): void {
    const { disk, files } = this.#context;
    const temporaryPath = `${this.#directory}/${temporaryName}`;
    files.withRoom(() => {
      const file = disk.open(temporaryPath, "create");
      try {
        file.truncate(0);
        file.write([encodeMark(content)], 0);
        if (isSynced) file.syncNow();
      } finally {
        file.close();
      }
    });
    disk.rename(temporaryPath, `${this.#directory}/${markName}`);
  }
}

/**
 * Whose log lies in the directory of a partition that is not open: `legacyLogId` for one that an older version made, and for
 * one whose mark is missing or damaged; undefined where nothing was ever written. Throws `DiskError`.
 */
export function readMarkedLogId(disk: Disk, directory: string): string | undefined {
  const names = disk.list(directory);
  if (isNothing(names)) return undefined;
  const found = names.includes(markName) ? readMarkFile(disk, directory) : undefined;
  return found?.content.logId ?? legacyLogId;
}

function isNothing(names: readonly string[]): boolean {
  return names.every((name) => name === temporaryName);
}

/** Undefined when the file is damaged beyond its second copy. Throws `DiskError` when it cannot be read. */
function readMark({ disk, files }: StorageContext, directory: string): ReturnType<typeof decodeMark> {
  return files.withRoom(() => readMarkFile(disk, directory));
}

function readMarkFile(disk: Disk, directory: string): ReturnType<typeof decodeMark> {
  const file = disk.open(`${directory}/${markName}`, "read");
  try {
    const sizeBytes = file.sizeBytes();
    if (sizeBytes > fileBytesMax) return undefined;
    const bytes = new Uint8Array(sizeBytes);
    return decodeMark(bytes.subarray(0, file.read(bytes, 0)));
  } finally {
    file.close();
  }
}

function takeAway(context: StorageContext, directory: string, identity: PartitionIdentity, foundLogId: string): void {
  const fields = { directory, foundLogId, logId: identity.logId };
  if (identity.isRemoved(foundLogId)) {
    removeDirectory(context, directory);
    context.log.info("what an interrupted deletion or purge had left was removed", fields);
    return;
  }
  setDirectoryAside(context, directory);
  context.count?.("setAside");
  context.log.warn("files of another or an unknown log were set aside", fields);
}
