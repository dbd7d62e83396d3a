// Consumer offsets of one partition (spec SB 3.9, 4.8): eight bytes, little-endian, in a file per consumer or group,
// overwritten in place at every store and never synced.

import { assert } from "../platform/assert.ts";
import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { CachedFile } from "./file-cache.ts";
import type { ConsumerKey, StorageContext } from "./types.ts";

const offsetBytes = 8;
const idMax = 2 ** 32 - 1;

interface StoredOffset {
  offset: number;
  readonly file: CachedFile;
}

// Every call that uses these is synchronous.
const bytes = new Uint8Array(offsetBytes);
const view = new DataView(bytes.buffer);
/** One byte more than a file has: a longer one is noticed. */
const readBytes = new Uint8Array(offsetBytes + 1);
const readView = new DataView(readBytes.buffer);
const views: readonly Uint8Array[] = [bytes];

const kinds = ["consumer", "group"] as const;
const directoryNames = { consumer: "consumers", group: "groups" } as const;

/** Name of the directory, in that of the partition, that holds all offset files. */
export const offsetsDirectoryName = "offsets";

export class ConsumerOffsets {
  readonly #context: StorageContext;
  /** Of the partition. */
  readonly #directory: string;
  // Made when there is something to put in: there may be very many partitions.
  #consumers: Map<number, StoredOffset> | undefined;
  #groups: Map<number, StoredOffset> | undefined;
  /** Last offset that a member of the group was sent; in memory only (spec SB 6.5). */
  #lastPolled: Map<number, number> | undefined;

  constructor(context: StorageContext, directory: string) {
    this.#context = context;
    this.#directory = directory;
  }

  /** Loads what the files hold. `endOffset`: what the log holds ends before it. Throws `DiskError`. */
  load(endOffset: number): void {
    for (const kind of kinds) this.#load(kind, endOffset);
  }

  get(consumer: ConsumerKey): number | undefined {
    return this.#known(consumer.kind)?.get(consumer.id)?.offset;
  }

  /** Smallest offset that any consumer or group stored: what lies above is still needed (spec SB 5.1). */
  smallest(): number | undefined {
    let smallest: number | undefined;
    for (const kind of kinds) {
      for (const { offset } of this.#known(kind)?.values() ?? []) {
        if (smallest === undefined || offset < smallest) smallest = offset;
      }
    }
    return smallest;
  }

  /** Stores and writes. Throws `CannotWriteToFile`; then the old offset stays. */
  store(consumer: ConsumerKey, offset: number): void {
    const table = this.#table(consumer.kind);
    const known = table.get(consumer.id);
    const stored = known ?? { offset, file: new CachedFile(this.#pathOf(consumer.kind, consumer.id)) };
    view.setUint32(0, offset >>> 0, true);
    view.setUint32(4, Math.floor(offset / 2 ** 32), true);
    try {
      if (known === undefined) this.#create(consumer.kind, stored.file);
      this.#context.files.useToWrite(stored.file).write(views, 0);
    } catch (thrown) {
      if (known === undefined) this.#context.files.discard(stored.file);
      if (!(thrown instanceof DiskError)) throw thrown;
      throw new IggyError("CannotWriteToFile", [], { cause: thrown });
    }
    stored.offset = offset;
    if (known === undefined) table.set(consumer.id, stored);
  }

  /** Throws `ConsumerOffsetNotFound` when there is none, `CannotDeleteConsumerOffsetFile` when the disk refuses. */
  delete(consumer: ConsumerKey): void {
    const stored = this.#known(consumer.kind)?.get(consumer.id);
    if (stored === undefined) throw new IggyError("ConsumerOffsetNotFound", [consumer.id]);
    try {
      this.#context.files.discard(stored.file);
      this.#context.disk.remove(stored.file.path);
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      throw new IggyError("CannotDeleteConsumerOffsetFile", [stored.file.path], { cause: thrown });
    }
    this.#known(consumer.kind)?.delete(consumer.id);
  }

  /** The group is gone: so is its offset, if it has one. Throws `CannotDeleteConsumerOffsetFile`. */
  deleteGroup(groupId: number): void {
    this.clearLastPolled(groupId);
    if (this.#groups?.has(groupId) === true) this.delete({ kind: "group", id: groupId });
  }

  notePolled(groupId: number, lastOffset: number): void {
    this.#lastPolled ??= new Map();
    this.#lastPolled.set(groupId, lastOffset);
  }

  /** Whether nothing was polled for the group, or all of it is committed. */
  isSettled(groupId: number): boolean {
    const lastPolled = this.#lastPolled?.get(groupId);
    if (lastPolled === undefined) return true;
    const committed = this.#groups?.get(groupId)?.offset;
    return committed !== undefined && committed >= lastPolled;
  }

  clearLastPolled(groupId: number): void {
    this.#lastPolled?.delete(groupId);
  }

  /**
   * Removes all of them, in memory and, durably, on the disk (spec SB 5.3), with files that a failed store left. Throws
   * `DiskError`.
   */
  clear(): void {
    const { disk } = this.#context;
    this.close();
    this.#consumers = undefined;
    this.#groups = undefined;
    this.#lastPolled = undefined;
    for (const kind of kinds) {
      const directory = this.#directoryOf(kind);
      const names = disk.list(directory);
      for (const name of names) disk.remove(`${directory}/${name}`);
      if (names.length > 0) disk.syncDirectory(directory);
    }
  }

  close(): void {
    for (const kind of kinds) {
      for (const stored of this.#known(kind)?.values() ?? []) this.#context.files.discard(stored.file);
    }
  }

  #known(kind: ConsumerKey["kind"]): Map<number, StoredOffset> | undefined {
    return kind === "consumer" ? this.#consumers : this.#groups;
  }

  #table(kind: ConsumerKey["kind"]): Map<number, StoredOffset> {
    if (kind === "consumer") {
      this.#consumers ??= new Map();
      return this.#consumers;
    }
    this.#groups ??= new Map();
    return this.#groups;
  }

  #directoryOf(kind: ConsumerKey["kind"]): string {
    return `${this.#directory}/${offsetsDirectoryName}/${directoryNames[kind]}`;
  }

  #pathOf(kind: ConsumerKey["kind"], id: number): string {
    return `${this.#directoryOf(kind)}/${id}`;
  }

  #create(kind: ConsumerKey["kind"], file: CachedFile): void {
    this.#context.disk.makeDirectory(this.#directoryOf(kind));
    this.#context.files.create(file);
  }

  #load(kind: ConsumerKey["kind"], endOffset: number): void {
    const { disk, log } = this.#context;
    const directory = this.#directoryOf(kind);
    if (!disk.exists(directory)) return; // cheaper than a list that fails
    for (const name of disk.list(directory)) {
      const path = `${directory}/${name}`;
      const id = Number(name);
      if (!/^\d+$/.test(name) || id > idMax || String(id) !== name) {
        log.warn("file with the name of no consumer", { path });
        continue;
      }
      const offset = this.#readFile(path);
      if (offset === undefined) {
        log.warn("consumer offset file is torn, ignored", { path });
      } else {
        this.#table(kind).set(id, { offset, file: new CachedFile(path) });
        if (offset >= endOffset) this.#lower({ kind, id }, endOffset);
      }
    }
  }

  /**
   * The log lost what this consumer had read. Unlike the original (spec SB 3.7) the file changes as well: else the log
   * would grow past the old offset, and the next start would skip messages that nobody read. On an empty log there is
   * nothing to lower it to: 0 would skip the first message that comes.
   */
  #lower(consumer: ConsumerKey, endOffset: number): void {
    this.#context.log.warn("consumer offset ahead of its log", { ...consumer, endOffset });
    try {
      if (endOffset === 0) this.delete(consumer);
      else this.store(consumer, endOffset - 1);
    } catch (thrown) {
      if (!(thrown instanceof IggyError)) throw thrown;
      const table = this.#table(consumer.kind);
      if (endOffset === 0) table.delete(consumer.id);
      else table.get(consumer.id)!.offset = endOffset - 1;
      this.#context.log.warn("consumer offset lowered in memory only", { ...consumer, error: thrown.message });
    }
  }

  #readFile(path: string): number | undefined {
    const file = this.#context.disk.open(path, "read");
    try {
      if (file.read(readBytes, 0) !== offsetBytes) return undefined;
    } finally {
      file.close();
    }
    const offset = Number(readView.getBigUint64(0, true));
    assert(offset >= 0, "an offset is not negative");
    return offset;
  }
}
