// Watches of partitions, whichever shard owns them. A watch of another shard's partition is a message there and, when something
// happens, one back: it is no request, so it takes no place of the lanes in a mailbox however long it waits, and nobody who
// waits holds up who does not. Messages of two shards keep their order, so a read that is sent behind a watch sees what the
// watch does not tell of.
import type { WatchMessage } from "./messages.ts";
import { type PartitionChange, type PartitionWatches, Watch, type Watcher } from "./partition-watches.ts";
import { NumberedWatches, WatchNumbers } from "./watch-slots.ts";

export interface WatchesOptions {
  /** Of the partitions that this shard owns. */
  readonly own: PartitionWatches;
  /** Shard that owns the partition, if it is another one. */
  readonly remoteOwnerOf: (partitionKey: number) => number | undefined;
  readonly post: (shardId: number, message: WatchMessage) => void;
}

/** Stands for all who wait there. */
class OtherShard implements Watcher {
  /** By the number under which the other shard knows them. */
  readonly watches = new NumberedWatches();
  readonly #tell: (watch: Watch, change: PartitionChange) => void;

  constructor(tell: (watch: Watch, change: PartitionChange) => void) {
    this.#tell = tell;
  }

  changed(watch: Watch, change: PartitionChange): void {
    this.watches.take(watch.remoteId);
    this.#tell(watch, change);
  }
}

export class Watches {
  readonly #options: WatchesOptions;
  /** Of this shard's at others, by the number under which the owner knows them. */
  readonly #remote = new WatchNumbers();
  /** Of other shards' here, by shard. */
  readonly #ofOthers = new Map<number, OtherShard>();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** Watches that others are to be told of, or this shard by others: nothing is left of one that was told or taken back. */
  get remoteCount(): number {
    let { count } = this.#remote;
    for (const { watches } of this.#ofOthers.values()) count += watches.count;
    return count;
  }

  /** Whether a watch holds from the call on: what is appended later is told. Elsewhere a read that comes behind it sees the rest. */
  isOwn(partitionKey: number): boolean {
    return this.#options.remoteOwnerOf(partitionKey) === undefined;
  }

  /** It is told once, of the next change, unless it is to be already. */
  open(watch: Watch): void {
    if (watch.isOpen) return;
    const owner = this.#options.remoteOwnerOf(watch.partitionKey);
    if (owner === undefined) {
      this.#options.own.add(watch);
      return;
    }
    watch.isOpen = true;
    this.#remote.add(watch);
    this.#options.post(owner, { kind: "watch", watchId: watch.remoteId, partitionKey: watch.partitionKey });
  }

  /** It is not told any more, if it was to be. */
  close(watch: Watch): void {
    if (!watch.isOpen) return;
    const owner = this.#options.remoteOwnerOf(watch.partitionKey);
    if (owner === undefined) {
      this.#options.own.remove(watch);
      return;
    }
    watch.isOpen = false;
    this.#remote.take(watch.remoteId);
    this.#options.post(owner, { kind: "unwatch", watchId: watch.remoteId });
  }

  /** What another shard says. */
  receive(shardId: number, message: WatchMessage): void {
    switch (message.kind) {
      case "watch":
        this.#watchFor(shardId, message.watchId, message.partitionKey);
        return;
      case "unwatch":
        this.#unwatchFor(shardId, message.watchId);
        return;
      case "changed":
        this.#told(message.watchId, message.change);
        return;
    }
  }

  #watchFor(shardId: number, watchId: number, partitionKey: number): void {
    const { own, post } = this.#options;
    const other =
      this.#ofOthers.get(shardId) ??
      new OtherShard((watch, change) => post(shardId, { kind: "changed", watchId: watch.remoteId, change }));
    this.#ofOthers.set(shardId, other);
    const watch = new Watch(partitionKey, other);
    watch.remoteId = watchId;
    other.watches.add(watch);
    own.add(watch);
  }

  #unwatchFor(shardId: number, watchId: number): void {
    const other = this.#ofOthers.get(shardId);
    const watch = other?.watches.take(watchId);
    if (watch !== undefined) this.#options.own.remove(watch); // else told meanwhile
  }

  #told(watchId: number, change: PartitionChange): void {
    const watch = this.#remote.take(watchId);
    if (watch === undefined) return; // taken back meanwhile
    watch.isOpen = false;
    watch.watcher.changed(watch, change);
  }
}
