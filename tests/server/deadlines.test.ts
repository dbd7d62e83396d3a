// The wheel of the ends of waits: each end comes once, never early, at most a step late; nothing turns while nobody waits.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Deadlines } from "../../src/server/index.ts";
import { Deadline } from "../../src/server/waiting/deadlines.ts";

const stepMs = 50;
const waitMsMax = 2000;

class Wait extends Deadline {
  readonly dueMs: number;
  readonly #ended: (wait: Wait) => void;

  constructor(dueMs: number, ended: (wait: Wait) => void) {
    super();
    this.dueMs = dueMs;
    this.#ended = ended;
  }

  timeOver(): void {
    this.#ended(this);
  }
}

/** A clock and one timer, moved by hand. */
class World {
  nowMs = 12_345;
  timersSet = 0;
  turns = 0;
  #timer: { readonly dueMs: number; readonly run: () => void } | undefined;
  readonly wheel = new Deadlines({
    nowMs: () => this.nowMs,
    schedule: (run, delayMs) => {
      expect(this.#timer).toBeUndefined(); // never more than one
      const timer = { dueMs: this.nowMs + delayMs, run };
      this.#timer = timer;
      this.timersSet++;
      return () => {
        if (this.#timer === timer) this.#timer = undefined;
      };
    },
    stepMs,
    waitMsMax,
  });

  get hasTimer(): boolean {
    return this.#timer !== undefined;
  }

  /** The timer rings on its way there, `lateMs` after its time. */
  advance(ms: number, lateMs = 0): void {
    const end = this.nowMs + ms;
    for (let timer = this.#timer; timer !== undefined && timer.dueMs + lateMs <= end; timer = this.#timer) {
      this.nowMs = Math.max(this.nowMs, timer.dueMs + lateMs);
      this.#timer = undefined;
      this.turns++;
      timer.run();
    }
    this.nowMs = end;
  }

  /** The process stands still: no timer rings. */
  standStill(ms: number): void {
    this.nowMs += ms;
  }
}

test("ends come once, in time, and none that was taken out; in the end there is no timer", () => {
  const action = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("add" as const), waitMs: fc.integer({ min: 0, max: waitMsMax }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), index: fc.nat() }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 0, max: 700 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("standStill" as const), ms: fc.integer({ min: 0, max: 9000 }) }),
    },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const world = new World();
      const open = new Set<Wait>();
      let standsStill = false;
      const ended = (wait: Wait) => {
        expect(open.delete(wait)).toBe(true); // once, and not after it was taken out
        expect(world.nowMs).toBeGreaterThanOrEqual(wait.dueMs);
        if (!standsStill) expect(world.nowMs).toBeLessThanOrEqual(wait.dueMs + stepMs + 1);
      };
      for (const step of actions) {
        switch (step.kind) {
          case "add": {
            const wait = new Wait(world.nowMs + step.waitMs, ended);
            open.add(wait);
            world.wheel.add(wait, wait.dueMs);
            break;
          }
          case "remove": {
            const wait = [...open][step.index % Math.max(1, open.size)];
            if (wait === undefined) break;
            open.delete(wait);
            world.wheel.remove(wait);
            world.wheel.remove(wait); // a second time nothing happens
            break;
          }
          case "advance":
            world.advance(step.ms);
            standsStill = false;
            break;
          case "standStill":
            standsStill = true;
            world.standStill(step.ms);
            break;
        }
        expect(world.wheel.count).toBe(open.size);
        expect(world.hasTimer).toBe(open.size > 0);
      }
      world.advance(20_000);
      expect(open.size).toBe(0);
      expect(world.hasTimer).toBe(false);
    }),
    { numRuns: 500 },
  );
});

describe("what it costs", () => {
  test("a thousand waits that end together are one turn, and idle time is none", () => {
    const world = new World();
    let count = 0;
    for (let index = 0; index < 1000; index++) {
      world.wheel.add(new Wait(world.nowMs + 1000 + (index % 5), () => count++), world.nowMs + 1000 + (index % 5));
    }
    world.advance(60_000);
    expect(count).toBe(1000);
    expect(world.turns).toBeLessThanOrEqual(2);
    const { turns } = world;
    world.advance(3_600_000);
    expect(world.turns).toBe(turns);
  });

  test("a wait may begin another one while it ends", () => {
    const world = new World();
    let rounds = 0;
    const again = () => {
      rounds++;
      if (rounds < 10) world.wheel.add(new Wait(world.nowMs + 100, again), world.nowMs + 100);
    };
    again();
    world.advance(5000);
    expect(rounds).toBe(10);
    expect(world.hasTimer).toBe(false);
  });
});
