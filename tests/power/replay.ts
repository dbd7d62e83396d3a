// Plays a record: after each entry the directory is known as it is, and as a power loss at that moment may leave it.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../src/platform/random.ts";
import { Content } from "./content.ts";
import { Directory, Names, type Node, type Rules, type Tree } from "./names.ts";
import { type Entry, EntryKind } from "./record.ts";

/** FALLOC_FL_KEEP_SIZE, the one mode of allocation that changes nothing that can be read. */
const keepSize = 1;
/** Of a sync: fdatasync. */
const dataOnly = 1;

export class Replay {
  readonly #names: Names;
  readonly #rules: Rules;
  readonly #opened = new Map<number, Node>();
  /** Syncs under way: how much each of them covers. */
  readonly #syncs = new Map<
    number,
    { readonly node: Node; readonly contentCount: number; readonly namesCount: number }
  >();
  /** Of the last entry. */
  micros = 0;

  constructor(rules: Rules) {
    this.#rules = rules;
    this.#names = new Names(rules);
  }

  apply(entry: Entry): void {
    this.micros = entry.micros;
    const { path, secondPath } = entry;
    switch (entry.kind) {
      case EntryKind.create:
      case EntryKind.open:
      case EntryKind.openDirectory:
        this.#open(entry);
        return;
      case EntryKind.write:
        this.#contentOf(entry).write(entry.position, entry.data);
        return;
      case EntryKind.truncate:
        this.#contentOf(entry).truncate(entry.size);
        return;
      case EntryKind.allocate:
        this.#allocate(entry);
        return;
      case EntryKind.rename:
        this.#names.change([path, undefined], [secondPath, this.#nodeAt(path)]);
        return;
      case EntryKind.link:
        this.#names.change([secondPath, this.#nodeAt(path)]);
        return;
      case EntryKind.unlink:
      case EntryKind.removeDirectory:
        this.#names.change([path, undefined]);
        return;
      case EntryKind.makeDirectory:
        this.#names.change([path, new Directory()]);
        return;
      case EntryKind.syncBegin:
        this.#beginSync(entry);
        return;
      case EntryKind.syncEnd:
        this.#endSync(entry);
        return;
      case EntryKind.other:
        return;
      default:
        throw new Error(`the record has an entry of kind ${entry.kind}`);
    }
  }

  /** Everything is durable now, as if the machine had stood still for a while. */
  syncAll(): void {
    this.#names.syncAll();
    for (const node of this.#opened.values()) if (node instanceof Content) node.syncAll();
  }

  /** What a power loss now leaves. */
  afterPowerLoss(random: Random): Tree {
    const isOrdered = this.#rules === "journal";
    const contents = new Map<Content, Uint8Array>();
    return this.#names.afterPowerLoss(random, (content) => {
      // A file under two names has one content.
      const known = contents.get(content) ?? content.afterPowerLoss(random, isOrdered);
      contents.set(content, known);
      return known;
    });
  }

  /** Everything as it is now. */
  now(): Tree {
    return this.#names.now((content) => content.current());
  }

  #open({ kind, path, handle }: Entry): void {
    if (kind === EntryKind.create && this.#names.find(path) === undefined) this.#names.change([path, new Content()]);
    if (handle !== 0) this.#opened.set(handle, this.#nodeAt(path));
  }

  #allocate(entry: Entry): void {
    if (entry.flags === keepSize) return;
    if (entry.flags !== 0) throw new Error(`an allocation of mode ${entry.flags} is not known`);
    const content = this.#contentOf(entry);
    const end = entry.position + entry.size;
    if (end > content.current().byteLength) content.truncate(end);
  }

  #beginSync({ position, handle }: Entry): void {
    const node = this.#opened.get(handle);
    if (node === undefined) throw new Error(`handle ${handle} is synced and was never opened`);
    const contentCount = node instanceof Content ? node.changesCount : 0;
    this.#syncs.set(position, { node, contentCount, namesCount: this.#names.changesCount });
  }

  #endSync({ position, flags }: Entry): void {
    const sync = this.#syncs.get(position);
    if (sync === undefined) throw new Error(`sync ${position} ends and never began`);
    this.#syncs.delete(position);
    const hasNewSize = sync.node instanceof Content && sync.node.syncedUpTo(sync.contentCount);
    this.#names.syncedUpTo(sync.node, sync.namesCount, flags !== dataOnly || hasNewSize);
  }

  #nodeAt(path: string): Node {
    const node = this.#names.find(path);
    if (node === undefined) throw new Error(`the record names ${path}, which is not there`);
    return node;
  }

  #contentOf({ handle, path }: Entry): Content {
    const node = handle === 0 ? this.#nodeAt(path) : this.#opened.get(handle);
    if (!(node instanceof Content)) throw new Error(`handle ${handle} is not a file's`);
    return node;
  }
}

/** Makes a directory that holds `tree`. */
export function writeTree(tree: Tree, directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const path of tree.directories) mkdirSync(join(directory, path));
  for (const [path, bytes] of tree.files) writeFileSync(join(directory, path), bytes, { mode: 0o600 });
}
