// Bursts of work are spread over the turns of the event loop, in their order, and none is forgotten.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { FewAtATime } from "../../src/transport/few-at-a-time.ts";

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

test("of any bursts no more is done in a turn than was said, and all of it in the order in which it came", async () => {
  const bursts = fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(bursts, fc.integer({ min: 1, max: 5 }), async (counts, perTurn) => {
      const work = new FewAtATime(perTurn);
      const done: number[] = [];
      const inTurn: number[] = [];
      let turn = 0;
      let came = 0;
      const take = (index: number) => {
        done.push(index);
        inTurn[turn] = (inTurn[turn] ?? 0) + 1;
      };
      for (const count of counts) {
        for (let each = 0; each < count; each++) {
          const index = came++;
          const wait = work.turn();
          if (wait === undefined) take(index);
          else void wait.then(() => take(index));
        }
        await turnOfLoop();
        turn++;
      }
      while (done.length < came) {
        await turnOfLoop();
        turn++;
      }
      expect(done).toEqual(Array.from({ length: came }, (_, index) => index));
      // What waited and what comes may share a turn as the test counts them.
      expect(Math.max(0, ...inTurn.filter((count) => count !== undefined))).toBeLessThanOrEqual(2 * perTurn);
    }),
    { numRuns: 200 },
  );
});

test("what comes alone does not wait", async () => {
  const work = new FewAtATime(2);
  for (let index = 0; index < 5; index++) {
    expect(work.turn()).toBeUndefined();
    await turnOfLoop();
    await turnOfLoop();
  }
});
