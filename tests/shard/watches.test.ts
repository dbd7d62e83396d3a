// The place where waits are noted, over two shards whose messages arrive when the test says: whoever watches and then reads never
// misses anything, is told once at most, never after it was taken out, and in the end nothing is left.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { WatchMessage } from "../../src/shard/messages.ts";
import { type PartitionChange, PartitionWatches, Watch, type Watcher } from "../../src/shard/partition-watches.ts";
import { Watches } from "../../src/shard/watches.ts";

type ShardId = 0 | 1;
const partitions = [0, 1, 2, 3];
const ownerOf = (partition: number): ShardId => (partition % 2) as ShardId;

/** One that waits: it watches, then reads, and waits if it has read nothing new. */
class Waiter implements Watcher {
  readonly partition: number;
  readonly shard: ShardId;
  /** What the partition had when it came. */
  readonly known: number;
  watch: Watch | undefined;
  /** What its read behind the watch has brought; undefined: it is under way. */
  read: number | undefined;
  told: PartitionChange[] = [];
  isGone = false;

  constructor(partition: number, shard: ShardId, known: number) {
    this.partition = partition;
    this.shard = shard;
    this.known = known;
  }

  changed(watch: Watch, change: PartitionChange): void {
    expect(this.isGone).toBe(false);
    expect(watch).toBe(this.watch!);
    this.told.push(change);
  }
}

class World {
  /** How much readers may see of each partition. */
  readonly versions = partitions.map(() => 0);
  readonly own = [new PartitionWatches(), new PartitionWatches()] as const;
  /** What is on its way to each shard, in order. */
  readonly queues: [(() => void)[], (() => void)[]] = [[], []];
  readonly waiters: Waiter[] = [];
  readonly shards = [this.#shard(0), this.#shard(1)] as const;

  #shard(id: ShardId): Watches {
    return new Watches({
      own: this.own[id],
      remoteOwnerOf: (partition) => (ownerOf(partition) === id ? undefined : ownerOf(partition)),
      post: (to, message: WatchMessage) =>
        void this.queues[to as ShardId].push(() => this.shards[to as ShardId].receive(id, structuredClone(message))),
    });
  }

  wait(partition: number, shard: ShardId): void {
    const waiter = new Waiter(partition, shard, this.versions[partition]!);
    this.waiters.push(waiter);
    waiter.watch = new Watch(partition, waiter);
    this.shards[shard].open(waiter.watch);
    const owner = ownerOf(partition);
    if (owner === shard) {
      waiter.read = this.versions[partition]!;
      return;
    }
    this.queues[owner].push(() => {
      const read = this.versions[partition]!;
      this.queues[shard].push(() => {
        waiter.read = read;
      });
    });
  }

  leave(index: number): void {
    const open = this.waiters.filter((waiter) => !waiter.isGone && waiter.told.length === 0);
    const waiter = open[index % Math.max(1, open.length)];
    if (waiter === undefined) return;
    this.shards[waiter.shard].close(waiter.watch!);
    this.shards[waiter.shard].close(waiter.watch!); // a second time nothing happens
    waiter.isGone = true;
  }

  grow(partition: number): void {
    this.versions[partition]!++;
    this.own[ownerOf(partition)].grown(partition);
  }

  purge(partition: number): void {
    this.own[ownerOf(partition)].purged(partition);
  }

  deliver(shard: ShardId, count: number): void {
    for (const message of this.queues[shard].splice(0, count)) message();
  }

  async deliverAll(): Promise<void> {
    do {
      this.deliver(0, this.queues[0].length);
      this.deliver(1, this.queues[1].length);
      await Promise.resolve();
    } while (this.queues[0].length + this.queues[1].length > 0);
  }

  get leftCount(): number {
    return this.own[0].count + this.own[1].count + this.shards[0].remoteCount + this.shards[1].remoteCount;
  }
}

const shardId = fc.constantFrom<ShardId>(0, 1);
const partition = fc.constantFrom(...partitions);
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("wait" as const), partition, shard: shardId }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), index: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("grow" as const), partition }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("purge" as const), partition }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("deliver" as const), shard: shardId, count: fc.nat({ max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: "turn" as const }) },
);

test("who watches and then reads misses nothing, is told once, and leaves nothing behind", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 80 }), async (actions) => {
      const world = new World();
      for (const step of actions) {
        if (step.kind === "wait") world.wait(step.partition, step.shard);
        else if (step.kind === "leave") world.leave(step.index);
        else if (step.kind === "grow") world.grow(step.partition);
        else if (step.kind === "purge") world.purge(step.partition);
        else if (step.kind === "deliver") world.deliver(step.shard, step.count);
        else await Promise.resolve();
      }
      await world.deliverAll();
      for (const waiter of world.waiters) {
        expect(waiter.told.length).toBeLessThanOrEqual(1);
        if (waiter.isGone || waiter.told.length > 0) continue;
        // It waits on: then its read has seen all that there is.
        expect(waiter.read).toBe(world.versions[waiter.partition]!);
      }
      const waiting = world.waiters.filter((waiter) => !waiter.isGone && waiter.told.length === 0);
      expect(world.own[0].count + world.own[1].count).toBe(waiting.length);
      for (const one of partitions) world.grow(one);
      await Promise.resolve();
      await world.deliverAll();
      for (const waiter of waiting) expect(waiter.told).toEqual(["messages"]);
      expect(world.leftCount).toBe(0);
    }),
    { numRuns: 1000 },
  );
});

test("one that is told may watch again and take others out: nobody is told twice, the others are told all the same", async () => {
  const watches = new PartitionWatches();
  const told: string[] = [];
  const watcher = (name: string, act: () => void = () => undefined): Watcher => ({
    changed() {
      told.push(name);
      act();
    },
  });
  const last: { watch?: Watch } = {};
  const add = (partitionKey: number, name: string, act?: (watch: Watch) => void): Watch => {
    const watch: Watch = new Watch(
      partitionKey,
      watcher(name, () => act?.(watch)),
    );
    watches.add(watch);
    watches.add(watch); // it is there already
    return watch;
  };
  let isFirst = true;
  add(7, "first", () => watches.remove(last.watch!));
  add(7, "again", (watch) => {
    if (isFirst) watches.add(watch);
    isFirst = false;
  });
  add(7, "middle");
  last.watch = add(7, "last");
  add(8, "other");
  watches.grown(7);
  watches.grown(7);
  expect(told).toEqual([]); // not in the middle of what the storage does
  await Promise.resolve();
  expect(told).toEqual(["first", "again", "middle"]);
  expect(watches.count).toBe(2);
  watches.grown(7);
  await Promise.resolve();
  expect(told).toEqual(["first", "again", "middle", "again"]);
  watches.purged(8);
  expect(told.at(-1)).toBe("other");
  expect(watches.count).toBe(0);
});

test("an append for which nobody waits leaves nothing to do", async () => {
  const watches = new PartitionWatches();
  const watch = new Watch(1, { changed: () => undefined });
  watches.add(watch);
  watches.grown(2);
  watches.remove(watch);
  watches.grown(1);
  await Promise.resolve();
  expect(watches.count).toBe(0);
  expect([...watches.partitionKeys]).toEqual([]);
});

test("very many are told in several turns, each once and in order, and who comes meanwhile waits for the next change", async () => {
  const watches = new PartitionWatches();
  const told: number[] = [];
  const count = 1000;
  const add = (number: number) => watches.add(new Watch(5, { changed: () => void told.push(number) }));
  for (let number = 0; number < count; number++) add(number);
  watches.grown(5);
  await Promise.resolve();
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThan(count);
  add(count);
  watches.grown(6);
  while (told.length < count) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual(Array.from({ length: count }, (_, number) => number));
  expect(watches.count).toBe(1);
  watches.grown(5);
  await Promise.resolve();
  expect(told).toHaveLength(count + 1);
});
