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

export class ConsumerOffsets {
  readonly #context: StorageContext;
  readonly #directories: Readonly<Record<ConsumerKey["kind"], string>>;
  readonly #consumers = new Map<number, StoredOffset>();
  readonly #groups = new Map<number, StoredOffset>();
  readonly #bytes = new Uint8Array(offsetBytes);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #views: readonly Uint8Array[] = [this.#bytes];

  /** Loads the offsets below `directory`. `endOffset`: what the log holds ends before it. Throws `DiskError`. */
  constructor(context: StorageContext, directory: string, endOffset: number) {
    this.#context = context;
    this.#directories = { consumer: `${directory}/offsets/consumers`, group: `${directory}/offsets/groups` };
    this.#load("consumer", endOffset);
    this.#load("group", endOffset);
  }

  get(consumer: ConsumerKey): number | undefined {
    return this.#table(consumer.kind).get(consumer.id)?.offset;
  }

  /** Smallest offset that any consumer or group stored: what lies above is still needed (spec SB 5.1). */
  smallest(): number | undefined {
    let smallest: number | undefined;
    for (const table of [this.#consumers, this.#groups]) {
      for (const { offset } of table.values()) if (smallest === undefined || offset < smallest) smallest = offset;
    }
    return smallest;
  }

  /** Stores and writes. Throws `CannotWriteToFile`; then the old offset stays. */
  store(consumer: ConsumerKey, offset: number): void {
    const table = this.#table(consumer.kind);
    const known = table.get(consumer.id);
    const stored = known ?? { offset, file: new CachedFile(this.#pathOf(consumer.kind, consumer.id)) };
    this.#view.setUint32(0, offset >>> 0, true);
    this.#view.setUint32(4, Math.floor(offset / 2 ** 32), true);
    try {
      if (known === undefined) this.#create(consumer.kind, stored.file);
      this.#context.files.use(stored.file).write(this.#views, 0);
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
    const table = this.#table(consumer.kind);
    const stored = table.get(consumer.id);
    if (stored === undefined) throw new IggyError("ConsumerOffsetNotFound", [consumer.id]);
    try {
      this.#context.files.discard(stored.file);
      this.#context.disk.remove(stored.file.path);
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      throw new IggyError("CannotDeleteConsumerOffsetFile", [stored.file.path], { cause: thrown });
    }
    table.delete(consumer.id);
  }

  /**
   * Removes all of them, in memory and, durably, on the disk (spec SB 5.3), with files that a failed store left. Throws
   * `DiskError`.
   */
  clear(): void {
    const { disk, files } = this.#context;
    for (const table of [this.#consumers, this.#groups]) {
      for (const stored of table.values()) files.discard(stored.file);
      table.clear();
    }
    for (const directory of Object.values(this.#directories)) {
      const names = disk.list(directory);
      for (const name of names) disk.remove(`${directory}/${name}`);
      if (names.length > 0) disk.syncDirectory(directory);
    }
  }

  close(): void {
    for (const table of [this.#consumers, this.#groups]) {
      for (const stored of table.values()) this.#context.files.discard(stored.file);
    }
  }

  #table(kind: ConsumerKey["kind"]): Map<number, StoredOffset> {
    return kind === "consumer" ? this.#consumers : this.#groups;
  }

  #pathOf(kind: ConsumerKey["kind"], id: number): string {
    return `${this.#directories[kind]}/${id}`;
  }

  #create(kind: ConsumerKey["kind"], file: CachedFile): void {
    this.#context.disk.makeDirectory(this.#directories[kind]);
    this.#context.files.create(file);
  }

  #load(kind: ConsumerKey["kind"], endOffset: number): void {
    const { disk, log } = this.#context;
    for (const name of disk.list(this.#directories[kind])) {
      const path = `${this.#directories[kind]}/${name}`;
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
    const bytes = new Uint8Array(offsetBytes + 1);
    const file = this.#context.disk.open(path, "read");
    try {
      if (file.read(bytes, 0) !== offsetBytes) return undefined;
    } finally {
      file.close();
    }
    const offset = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    assert(offset >= 0, "an offset is not negative");
    return offset;
  }
}
