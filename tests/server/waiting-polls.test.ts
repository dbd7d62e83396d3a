// Polls that wait, over two shards: whatever comes in whatever order, each ends once and rightly, nobody waits where there is
// something, and nothing is left. And what a wait costs: no message, no timer of its own.
import { afterEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Session } from "../../src/server/index.ts";
import { type Ended, stepMs, WaitingWorld } from "./waiting-world.ts";

let world: WaitingWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const partitionsCount = 2;
const partition = fc.integer({ min: 0, max: partitionsCount - 1 });
const shardId = fc.constantFrom<0 | 1>(0, 1);
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("poll" as const),
      shard: shardId,
      partition,
      waitMs: fc.constantFrom(0, 200, 1000, 30_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      shard: shardId,
      partition,
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("overtake" as const), index: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 10, max: 1500 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "purge" as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: "settle" as const }) },
);

/** A poll that is under way. */
interface Open {
  readonly session: Session;
  readonly partition: number;
  readonly waitMs: number;
  readonly sinceMs: number;
  /** Where it reads. */
  readonly offset: number;
  outcome: Ended | undefined;
}

test("each ends once and rightly, and leaves nothing behind", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
      const here = await WaitingWorld.start(partitionsCount);
      try {
        /** Messages since the last purge. */
        const heads = Array<number>(partitionsCount).fill(0);
        const polls: Open[] = [];
        const appends: Promise<void>[] = [];
        for (const step of actions) {
          switch (step.kind) {
            case "poll": {
              const offset = heads[step.partition]!;
              const session = here.session();
              const open: Open = {
                session,
                partition: step.partition,
                waitMs: step.waitMs,
                sinceMs: here.nowMs,
                offset,
                outcome: undefined,
              };
              const changes = { partitionId: step.partition, waitMs: step.waitMs };
              void here
                .poll(step.shard, session, { ...changes, strategy: { kind: "offset", value: BigInt(offset) } })
                .then((outcome) => {
                  expect(open.outcome).toBeUndefined();
                  open.outcome = outcome;
                });
              polls.push(open);
              break;
            }
            case "append":
              heads[step.partition]! += step.count;
              appends.push(here.append(step.shard, step.partition, step.count));
              break;
            case "overtake": {
              const waiting = polls.filter(({ session }) => session.waiting !== undefined);
              waiting[step.index % Math.max(1, waiting.length)]?.session.waiting?.overtaken();
              break;
            }
            case "advance":
              here.advance(step.ms);
              break;
            case "purge":
              await Promise.all(appends);
              await here.purge();
              here.follow();
              await here.settle();
              heads.fill(0);
              // Who waited behind the purge has been told.
              for (const open of polls) if (open.offset > 0) expect(open.outcome).toBeDefined();
              break;
            case "settle":
              await Promise.all(appends);
              await here.settle();
              for (const open of polls) {
                if (open.outcome !== undefined) continue;
                expect(open.offset).toBeGreaterThanOrEqual(heads[open.partition]!); // nobody waits where there is something
                expect(here.nowMs).toBeLessThan(open.sinceMs + open.waitMs + 1500 + stepMs);
              }
              break;
          }
        }
        await Promise.all(appends);
        await here.settle();
        here.advance(40_000);
        await here.settle();
        for (const { outcome, waitMs } of polls) {
          expect(outcome).toBeDefined();
          expect(outcome!.messagesCount > 0).toBe(outcome!.ending === "messages");
          if (outcome!.ending === "notWaited") expect(waitMs).toBe(0);
        }
        expect(here.leftCount).toBe(0);
        expect(polls.every(({ session }) => session.waiting === undefined)).toBe(true);
      } finally {
        await here.close();
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);

test("who comes behind a purge with the position of one message learns that offsets begin anew", async () => {
  world = await WaitingWorld.start(2);
  const here = world;
  const at = (value: bigint) => ({ strategy: { kind: "offset", value } as const, waitMs: 1000 });
  for (const shard of [0, 1]) {
    for (const partitionId of [0, 1]) {
      expect((await here.poll(shard, here.session(), { partitionId, ...at(1n) })).ending).toBe("offsetsReset");
    }
  }
  await here.append(0, 0, 1);
  const waiting = here.poll(1, here.session(), at(1n));
  await here.settle();
  here.advance(2000);
  expect((await waiting).ending).toBe("timeOver"); // behind one message that is there
});

test("a deleted partition ends the polls that wait for it on every shard, and nothing is left", async () => {
  world = await WaitingWorld.start(2);
  const outcomes = [0, 1].flatMap((shard) =>
    [0, 1].map((partitionId) =>
      world!.poll(shard, world!.session(), { partitionId }).then(
        () => 0,
        (error: { code: number }) => error.code,
      ),
    ),
  );
  await world.settle();
  await world.deletePartitions(2);
  world.follow();
  expect(await Promise.all(outcomes)).toEqual([3007, 3007, 3007, 3007]);
  await world.settle();
  expect(world.leftCount).toBe(0);
});

describe("what waiting costs", () => {
  const count = 1000;

  test("a thousand that wait exchange no message, set no timer and read nothing until they are told", async () => {
    world = await WaitingWorld.start(2);
    const here = world;
    const outcomes = Array.from({ length: count }, (_, index) =>
      here.poll(index % 2, here.session(), { partitionId: (index >> 1) % 2, waitMs: 20_000 }),
    );
    await here.settle();
    const sentCount = () => here.shards.shards[0].sent.length + here.shards.shards[1].sent.length;
    const before = sentCount();
    const { timersSet } = here;
    expect(timersSet).toBeLessThanOrEqual(2); // one of each shard
    here.advance(10_000);
    await Bun.sleep(50);
    expect({ sent: sentCount(), timersSet: here.timersSet }).toEqual({ sent: before, timersSet });
    // One message wakes those who wait for its partition: half of them elsewhere, with one message, one read, its reply and its release each.
    await here.append(0, 0, 1);
    expect(
      (await Promise.all(outcomes.filter((_, index) => (index >> 1) % 2 === 0))).every(
        ({ ending }) => ending === "messages",
      ),
    ).toBe(true);
    await here.settle();
    expect(sentCount() - before).toBeLessThan(4 * (count / 4) + 100);
    here.advance(11_000);
    expect((await Promise.all(outcomes)).filter(({ ending }) => ending === "timeOver")).toHaveLength(count / 2);
    await here.settle();
    expect(here.leftCount).toBe(0);
  });
});
