// Who waits for messages, at the shard that owns their partition: noted by partition, told once when readers may see something
// new. It is the one place that an append meets: with nobody waiting that costs it one comparison. Nothing here has a timer,
// and whoever is told is taken out first, so a watch is told exactly once or not at all.
import { assert } from "../platform/assert.ts";

/** What happened: readers may see more, or everything was taken away and offsets begin anew. */
export type PartitionChange = "messages" | "purged";

/** Who waits. It must not throw; it may add and remove watches while it is told. */
export interface Watcher {
  changed(watch: Watch, change: PartitionChange): void;
}

/** Most that are told in one turn of the event loop: each reads and is answered, and others want their turn. */
const toldAtOnceMax = 256;

/**
 * One partition that somebody may wait for. It is itself the place in the list, so that one that waits takes no more than this
 * object, and to take it out costs the same whoever else waits.
 */
export class Watch {
  readonly partitionKey: number;
  readonly watcher: Watcher;
  /** Whether it is to be told. */
  isOpen = false;
  /** Under which both shards know it, where one waits for a partition of the other; 0: nobody else is concerned. */
  remoteId = 0;
  previous: Watch | undefined;
  next: Watch | undefined;

  constructor(partitionKey: number, watcher: Watcher) {
    this.partitionKey = partitionKey;
    this.watcher = watcher;
  }
}

export class PartitionWatches {
  /** First and last of each partition that somebody waits for. */
  readonly #lists = new Map<number, { first: Watch; last: Watch }>();
  /** Partitions with something new of which nobody has been told yet. */
  readonly #changed = new Set<number>();
  /** Who is to be told of them, in order, and who of these is next. */
  #toTell: Watch[] = [];
  #nextToTell = 0;
  #count = 0;
  /** Somebody is about to be told, or will be in a later turn. */
  #isScheduled = false;

  /** Watches that are to be told. */
  get count(): number {
    return this.#count;
  }

  /** It is told of the next change, unless it is to be already. */
  add(watch: Watch): void {
    if (watch.isOpen) return;
    watch.isOpen = true;
    this.#count++;
    const { partitionKey } = watch;
    const list = this.#lists.get(partitionKey);
    if (list === undefined) {
      this.#lists.set(partitionKey, { first: watch, last: watch });
      return;
    }
    watch.previous = list.last;
    list.last.next = watch;
    list.last = watch;
  }

  /** Nobody is told; one that was told already is none any more. */
  remove(watch: Watch): void {
    if (!watch.isOpen) return;
    watch.isOpen = false;
    this.#count--;
    const { previous, next, partitionKey } = watch;
    watch.previous = undefined;
    watch.next = undefined;
    if (previous === undefined && next === undefined) {
      this.#lists.delete(partitionKey);
      return;
    }
    const list = this.#lists.get(partitionKey);
    assert(list !== undefined, "a watch is in the list of its partition", { partitionKey });
    if (previous === undefined) list.first = next!;
    else previous.next = next;
    if (next === undefined) list.last = previous!;
    else next.previous = previous;
  }

  /**
   * Readers may see more of the partition than before. Who waits is told when this turn of the event loop is over with what it
   * does: the storage calls this in the middle of its work.
   */
  grown(partitionKey: number): void {
    if (!this.#lists.has(partitionKey)) return;
    this.#changed.add(partitionKey);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#tellChanged());
  }

  /** A purge is done: who waits is told at once. */
  purged(partitionKey: number): void {
    for (const watch of [...this.#waitingFor(partitionKey)]) this.#tell(watch, "purged");
  }

  /** Partitions that somebody waits for. */
  get partitionKeys(): Iterable<number> {
    return this.#lists.keys();
  }

  #tellChanged(): void {
    if (this.#toTell.length === 0) this.#collect();
    const end = Math.min(this.#nextToTell + toldAtOnceMax, this.#toTell.length);
    while (this.#nextToTell < end) this.#tell(this.#toTell[this.#nextToTell++]!, "messages");
    this.#isScheduled = this.#nextToTell < this.#toTell.length || this.#changed.size > 0;
    if (this.#nextToTell === this.#toTell.length) {
      this.#toTell = [];
      this.#nextToTell = 0;
    }
    if (this.#isScheduled) setImmediate(() => this.#tellChanged());
  }

  /** What changes while some are still to be told waits until they are: it may be the same again and again. */
  #collect(): void {
    for (const partitionKey of this.#changed) {
      for (const watch of this.#waitingFor(partitionKey)) this.#toTell.push(watch);
    }
    this.#changed.clear();
  }

  /** In the order in which they came. */
  *#waitingFor(partitionKey: number): Iterable<Watch> {
    for (let watch = this.#lists.get(partitionKey)?.first; watch !== undefined; watch = watch.next) yield watch;
  }

  #tell(watch: Watch, change: PartitionChange): void {
    if (!watch.isOpen) return; // taken out by one that was told before
    this.remove(watch);
    watch.watcher.changed(watch, change);
  }
}
