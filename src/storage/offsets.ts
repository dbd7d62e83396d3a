// Consumer offsets of one partition (spec SB 3.9, 4.8): eight bytes, little-endian, in a file per consumer or group,
// overwritten in place at every store. A store does not sync: what came since the last `sync` is at risk in a power loss.

import { DiskError, isExhausted, isKeptAside } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { ConsumerNames } from "./consumer-names.ts";
import { CachedFile } from "./file-cache.ts";
import { offsetBytes, readOffset } from "./offset-file.ts";
import { type StoredOffset, UnsyncedOffsets } from "./offsets-sync.ts";
import type { PartitionLog } from "./partition-log.ts";
import { syncDirectoryOf } from "./sync-files.ts";
import type { ConsumerKey, StorageContext } from "./types.ts";

const idMax = 2 ** 32 - 1;

// Every call that uses these is synchronous.
const bytes = new Uint8Array(offsetBytes);
const view = new DataView(bytes.buffer);
const views: readonly Uint8Array[] = [bytes];

const kinds = ["consumer", "group"] as const;
const none: readonly ConsumerKey["kind"][] = [];
const directoryNames = { consumer: "consumers", group: "groups" } as const;

/** Name of the directory, in that of the partition, that holds all offset files. */
export const offsetsDirectoryName = "offsets";

export interface StoredConsumer extends ConsumerKey {
  readonly storedOffset: number;
}

export class ConsumerOffsets {
  readonly #log: PartitionLog;
  readonly #context: StorageContext;
  // Made when there is something to put in: there may be very many partitions.
  #madeUnsynced: UnsyncedOffsets | undefined;
  #consumers: Map<number, StoredOffset> | undefined;
  #groups: Map<number, StoredOffset> | undefined;
  /** Kinds for which `noteNames` has been done. */
  #noted: readonly ConsumerKey["kind"][] = none;
  #isFullReported = false;
  /** Made when there is one: few consumers have no group. */
  #names: ConsumerNames | undefined;
  /** Last offset that a member of the group was sent and has not committed; in memory only (spec SB 6.5). */
  #lastPolled: Map<number, number> | undefined;

  constructor(log: PartitionLog) {
    this.#log = log;
    this.#context = log.context;
  }

  /**
   * Loads what the files hold, up to what the log holds. A file that cannot be read is left out, with a log line; one of a
   * group that is gone, or was another with the same number, is removed. Throws `DiskError` where descriptors are missing.
   */
  load(): void {
    for (const kind of kinds) this.#load(kind, this.#log.nextOffset);
    const consumers = this.#consumers;
    if (consumers === undefined) return;
    this.#names = ConsumerNames.load(this.#context, this.#directory, (id) => consumers.has(id));
  }

  /** Whether `sync` would make anything more durable. */
  get isUnsynced(): boolean {
    return this.#madeUnsynced?.isThere === true;
  }

  /** Makes what was stored and deleted before the call durable. Rejects with `DiskError`; a later call makes good. */
  async sync(): Promise<void> {
    await this.#madeUnsynced?.sync();
  }

  get(consumer: ConsumerKey): number | undefined {
    return this.#known(consumer.kind)?.get(consumer.id)?.offset;
  }

  /** Of every consumer and group, in no order. */
  *all(): Iterable<StoredConsumer> {
    for (const kind of kinds) {
      for (const [id, { offset }] of this.#known(kind) ?? []) yield this.#stored(kind, id, offset);
    }
  }

  /** When the offset was stored, µs; undefined: there is none, or it is from before the start of the process. */
  storedAtMicros({ kind, id }: ConsumerKey): number | undefined {
    return this.#known(kind)?.get(id)?.storedAtMicros;
  }

  /** The last offset that a member of the group was sent and has not committed; undefined: there is none. */
  lastPolledOf(groupId: number): number | undefined {
    return this.#lastPolled?.get(groupId);
  }

  /** Whose stored offset is the smallest: what lies above it is still needed (spec SB 5.1). */
  slowest(): StoredConsumer | undefined {
    let slowest: StoredConsumer | undefined;
    for (const kind of kinds) {
      for (const [id, { offset }] of this.#known(kind) ?? []) {
        if (slowest === undefined || offset < slowest.storedOffset) slowest = this.#stored(kind, id, offset);
      }
    }
    return slowest;
  }

  /**
   * Stores and writes. Throws `CannotWriteToFile`, or `ConsumerGroupIdNotFound` where the group is gone; then the old offset
   * stays. `CannotOpenConsumerOffsetsFile` for a new one where there are as many as are allowed.
   */
  store(consumer: ConsumerKey, offset: number): void {
    const { kind, id } = consumer;
    const table = this.#table(kind);
    const known = table.get(id);
    if (known === undefined) this.#requireRoom(consumer, table.size);
    const stored = known ?? newOffset(offset, this.#directoryOf(kind), id);
    try {
      if (known === undefined) this.#create(consumer, stored.file);
      this.#write(stored, offset);
    } catch (thrown) {
      if (known === undefined) this.#context.files.discard(stored.file);
      if (!(thrown instanceof DiskError)) throw thrown;
      throw new IggyError("CannotWriteToFile", [], { cause: thrown });
    }
    stored.offset = offset;
    stored.storedAtMicros = this.#context.clock.nowMicros();
    if (known === undefined) table.set(id, stored);
    this.#noteNames(kind);
    this.#unsynced.add(stored);
    if (kind === "group") this.#noteCommitted(id, offset);
    if (consumer.name !== undefined) this.#noteName(id, consumer.name);
  }

  /** Throws `ConsumerOffsetNotFound` when there is none, `CannotDeleteConsumerOffsetFile` when the disk refuses. */
  delete({ kind, id }: ConsumerKey): void {
    const stored = this.#known(kind)?.get(id);
    if (stored === undefined) throw new IggyError("ConsumerOffsetNotFound", [id]);
    this.#removeFile(kind, stored);
    this.#known(kind)?.delete(id);
    if (kind === "consumer") this.#names?.forget(id);
  }

  /**
   * The group is gone: so is its offset, if it has one, whether or not its file can be removed; a file that stays is known by
   * the mark as that of another group. Throws `CannotDeleteConsumerOffsetFile` for it.
   */
  deleteGroup(groupId: number): void {
    this.clearLastPolled(groupId);
    const stored = this.#groups?.get(groupId);
    if (stored === undefined) return;
    this.#groups?.delete(groupId);
    this.#madeUnsynced?.drop(stored); // also where its file stays, which may be that of the next group soon
    this.#removeFile("group", stored);
  }

  notePolled(groupId: number, lastOffset: number): void {
    this.#lastPolled ??= new Map();
    this.#lastPolled.set(groupId, lastOffset);
  }

  /** What was polled is done with for good: whoever commits an earlier offset later, or deletes it, wants it again. */
  #noteCommitted(groupId: number, offset: number): void {
    const lastPolled = this.#lastPolled?.get(groupId);
    if (lastPolled !== undefined && offset >= lastPolled) this.clearLastPolled(groupId);
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

  /** All of them were taken away with the directory of the partition (spec SB 5.3), or will be. */
  forget(): void {
    this.close();
    this.#consumers = undefined;
    this.#groups = undefined;
    this.#lastPolled = undefined;
    this.#names = undefined;
    this.#noted = none;
    this.#madeUnsynced?.forget();
  }

  close(): void {
    for (const kind of kinds) {
      for (const stored of this.#known(kind)?.values() ?? []) this.#context.files.discard(stored.file);
    }
  }

  get #unsynced(): UnsyncedOffsets {
    this.#madeUnsynced ??= new UnsyncedOffsets(this.#log, (stored) => this.#write(stored, stored.offset));
    return this.#madeUnsynced;
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

  #noteName(id: number, name: string): void {
    this.#names ??= new ConsumerNames(this.#context, this.#directory);
    this.#names.note(id, name);
  }

  #stored(kind: ConsumerKey["kind"], id: number, storedOffset: number): StoredConsumer {
    const name = kind === "consumer" ? this.#names?.of(id) : undefined;
    return name === undefined ? { kind, id, storedOffset } : { kind, id, name, storedOffset };
  }

  get #directory(): string {
    return `${this.#log.directory}/${offsetsDirectoryName}`;
  }

  #directoryOf(kind: ConsumerKey["kind"]): string {
    return `${this.#directory}/${directoryNames[kind]}`;
  }

  #pathOf(kind: ConsumerKey["kind"], id: number): string {
    return `${this.#directoryOf(kind)}/${id}`;
  }

  #write(stored: StoredOffset, offset: number): void {
    view.setUint32(0, offset >>> 0, true);
    view.setUint32(4, Math.floor(offset / 2 ** 32), true);
    this.#context.files.useToWrite(stored.file).write(views, 0);
  }

  /** Each offset is a file, and names of consumers are the client's to make up. */
  #requireRoom({ kind, id }: ConsumerKey, count: number): void {
    const { log, options } = this.#context;
    if (options.consumerOffsetsMax === undefined || count < options.consumerOffsetsMax) return;
    if (!this.#isFullReported) {
      const { directory } = this.#log;
      log.warn("no offset of another consumer is kept: limits.consumer_offsets_per_partition", {
        directory,
        kind,
        count,
      });
      this.#isFullReported = true;
    }
    throw new IggyError("CannotOpenConsumerOffsetsFile", [`${directoryNames[kind]}/${id}`]);
  }

  #create({ kind, id }: ConsumerKey, file: CachedFile): void {
    const { directory } = this.#log;
    const { disk } = this.#context;
    // At memory level there may be nothing of the partition on the disk yet.
    if (!disk.exists(directory)) {
      this.#log.noteDirectories();
      disk.makeDirectory(directory);
    }
    if (kind === "group") this.#markGroup(id);
    disk.makeDirectory(this.#directoryOf(kind));
    this.#context.files.create(file);
    if (kind === "group") this.#unsynced.addDirectory(directory);
    this.#unsynced.addDirectory(this.#directoryOf(kind));
  }

  /** Says in the mark whose the file will be that is made next. */
  #markGroup(id: number): void {
    const { mark, visibleOffset, writtenOffset } = this.#log;
    const { disk } = this.#context;
    const ended = mark?.endedBefore(id) ?? [];
    const directory = this.#directoryOf("group");
    if (ended.length > 0 && disk.exists(directory)) {
      for (const number of ended) {
        const path = this.#pathOf("group", number);
        if (disk.exists(path)) disk.remove(path);
      }
      syncDirectoryOf(this.#log, directory);
    }
    // Neither what is only in memory nor what nobody was answered counts: a kill takes it away, and its offsets come again.
    mark?.beforeGroup(id, Math.min(visibleOffset, writtenOffset));
  }

  /**
   * Once for each kind, the names of the files need a sync, up to the directory of the partition: a process that was killed
   * may have made them, and nobody knows whether they are durable.
   */
  #noteNames(kind: ConsumerKey["kind"]): void {
    if (this.#noted.includes(kind)) return;
    this.#noted = [...this.#noted, kind];
    this.#unsynced.addDirectory(this.#log.directory);
    this.#unsynced.addDirectory(this.#directory);
    this.#unsynced.addDirectory(this.#directoryOf(kind));
  }

  /** Throws `CannotDeleteConsumerOffsetFile`. */
  #removeFile(kind: ConsumerKey["kind"], stored: StoredOffset): void {
    try {
      this.#context.files.discard(stored.file);
      this.#context.disk.remove(stored.file.path);
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      throw new IggyError("CannotDeleteConsumerOffsetFile", [stored.file.path], { cause: thrown });
    }
    this.#unsynced.drop(stored);
    this.#unsynced.addDirectory(this.#directoryOf(kind));
  }

  #load(kind: ConsumerKey["kind"], endOffset: number): void {
    const { disk, files, log } = this.#context;
    const directory = this.#directoryOf(kind);
    if (!disk.exists(directory)) return; // cheaper than a list that fails
    const names = this.#whatCanBeRead(directory, () => files.withRoom(() => disk.list(directory)), []);
    this.#noteNames(kind); // made or removed by a process that was killed, perhaps
    for (const name of names) {
      if (isKeptAside(name)) continue;
      const path = `${directory}/${name}`;
      const id = Number(name);
      if (!/^\d+$/.test(name) || id > idMax || String(id) !== name) {
        log.warn("file with the name of no consumer", { path });
        continue;
      }
      if (kind === "group" && this.#log.mark?.ownsGroup(id) === false) {
        this.#removeLeftover(path);
        continue;
      }
      const offset = this.#whatCanBeRead(path, () => readOffset(this.#context, path), undefined);
      if (offset === undefined) {
        log.warn("consumer offset file is torn, ignored", { path });
      } else {
        const stored = newOffset(offset, directory, id);
        this.#table(kind).set(id, stored);
        this.#unsynced.add(stored); // the same
        if (offset >= endOffset) this.#lower({ kind, id }, endOffset);
      }
    }
  }

  /** Offsets are worth less than the messages: what of them cannot be read does not keep the partition shut. */
  #whatCanBeRead<T>(path: string, read: () => T, nothing: T): T {
    try {
      return read();
    } catch (thrown) {
      if (!(thrown instanceof DiskError) || isExhausted(thrown)) throw thrown;
      this.#context.log.error("consumer offsets cannot be read", { path, error: thrown.message });
      return nothing;
    }
  }

  /** Of a group that was deleted, and whose number may be that of another one now. */
  #removeLeftover(path: string): void {
    const { disk, log } = this.#context;
    try {
      disk.remove(path);
      log.info("offset of a deleted group removed", { path });
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      log.warn("offset of a deleted group not removed yet", { path, error: thrown.message });
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
}

function newOffset(offset: number, directory: string, id: number): StoredOffset {
  return {
    offset,
    file: new CachedFile(directory, String(id)),
    storedAtMicros: undefined,
    isUnsynced: false,
    isLost: false,
  };
}
