import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FairQueue } from "../../../src/server/logins/fair-queue.ts";

interface Named {
  readonly network: string;
  readonly lane: string;
  readonly name: string;
}

/** `net/lane/name` */
function entry(text: string): Named {
  const [network = "", lane = "", name = ""] = text.split("/");
  return { network, lane, name };
}

function textOf({ network, lane, name }: Named): string {
  return `${network}/${lane}/${name}`;
}

function queueOf(texts: readonly string[], entriesMax = 100): FairQueue<Named> {
  const queue = new FairQueue<Named>(entriesMax);
  for (const text of texts) queue.add(entry(text), 100);
  return queue;
}

function takeAll(queue: FairQueue<Named>): string[] {
  const taken: string[] = [];
  for (;;) {
    const next = queue.take(0, () => 0);
    if (next.entry === undefined) return taken;
    taken.push(textOf(next.entry));
  }
}

describe("the order", () => {
  test("is that of a lane within it; networks take turns, and lanes within a network", () => {
    const many = ["x/a/1", "x/a/2", "x/a/3", "x/a/4", "x/b/1", "y/c/1", "y/c/2"];
    expect(takeAll(queueOf(many))).toEqual(["x/a/1", "y/c/1", "x/b/1", "y/c/2", "x/a/2", "x/a/3", "x/a/4"]);
  });

  test("passes over what may not be taken yet, and says when something may be", () => {
    const queue = queueOf(["x/a/1", "x/b/1", "y/c/1"]);
    const readyAtMs = ({ network, lane }: Named) => (network === "y" ? 50 : lane === "a" ? 30 : 10);
    expect(queue.take(5, readyAtMs)).toEqual({ entry: undefined, readyAtMs: 10 });
    expect(queue.take(10, readyAtMs)).toEqual({ entry: entry("x/b/1") });
    expect(queue.take(10, readyAtMs)).toEqual({ entry: undefined, readyAtMs: 30 });
    expect(queue.take(60, readyAtMs)).toEqual({ entry: entry("y/c/1") });
    expect(queue.take(60, readyAtMs)).toEqual({ entry: entry("x/a/1") });
    expect(queue.take(60, readyAtMs)).toEqual({ entry: undefined, readyAtMs: Number.POSITIVE_INFINITY });
  });
});

describe("where there is no room", () => {
  test("the largest lane of the network loses what came last", () => {
    const queue = queueOf(["x/a/1", "x/a/2", "x/a/3"]);
    expect(queue.add(entry("x/b/1"), 3)).toEqual(entry("x/a/3"));
    expect(queue.add(entry("x/a/4"), 3)).toEqual(entry("x/a/4"));
    expect(queue.add(entry("y/a/1"), 3)).toBeUndefined();
    expect(takeAll(queue)).toEqual(["x/a/1", "y/a/1", "x/b/1", "x/a/2"]);
  });

  test("the largest network loses what came last", () => {
    const queue = queueOf(["x/a/1", "x/a/2", "x/b/1", "y/c/1"], 4);
    expect(queue.add(entry("z/d/1"), 100)).toEqual(entry("x/a/2"));
    expect(queue.add(entry("z/d/2"), 100)).toEqual(entry("z/d/2"));
    expect(queue.count).toBe(4);
  });
});

test("a network that may have fewer waiting loses from its largest lanes", () => {
  const queue = queueOf(["x/a/1", "x/a/2", "x/a/3", "x/b/1", "y/c/1"]);
  expect(queue.shrink("x", 2).map(textOf)).toEqual(["x/a/3", "x/a/2"]);
  expect(queue.shrink("x", 2)).toEqual([]);
  expect(queue.shrink("z", 0)).toEqual([]);
  expect(queue.count).toBe(3);
});

test("any entries: each is taken or refused once, a network that waits is served before another twice, bounds hold", () => {
  const some = fc.record({ network: fc.constantFrom("x", "y", "z"), lane: fc.constantFrom("a", "b", "c") });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 60 }), (entries) => {
      const queue = new FairQueue<Named>(20);
      const refused: string[] = [];
      for (const [index, { network, lane }] of entries.entries()) {
        const lost = queue.add({ network, lane, name: `${index}` }, 10);
        if (lost !== undefined) refused.push(lost.name);
      }
      expect(queue.count).toBeLessThanOrEqual(20);
      const taken = takeAll(queue).map(entry);
      expect([...taken.map(({ name }) => name), ...refused].sort()).toEqual(
        entries.map((_, index) => `${index}`).sort(),
      );
      for (const [index, { network }] of taken.entries()) {
        const last = taken.findLastIndex((other, place) => place < index && other.network === network);
        if (last < 0) continue;
        // Whoever is served after this one was waiting then, and so is served in between.
        const others = new Set(taken.slice(index).map((other) => other.network));
        const between = new Set(taken.slice(last, index).map((other) => other.network));
        for (const other of others) expect(between).toContain(other);
      }
    }),
  );
});
