// What was stored twice, by the ids of our producers.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { RepeatFilter } from "../../../src/client/consumer/repeat-filter.ts";

test("any batches, refused ones left out, repeated in order: each number passes once", () => {
  const batch = fc.record({ size: fc.integer({ min: 1, max: 20 }), isRefused: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(batch, { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(19), { maxLength: 10 }),
      (batches, cuts) => {
        let next = 0;
        const sent = batches.map(({ size, isRefused }) => {
          const numbers = Array.from({ length: size }, () => next++);
          return isRefused ? [] : numbers;
        });
        // Before each cut all from there on are stored, and then again.
        const stored = sent.flat();
        const twice = cuts.flatMap((cut) => sent.slice(cut).flat());
        const filter = new RepeatFilter();
        const passed = [...stored, ...twice].filter((number) => !filter.isRepeat({ sequence: "a", number }));
        expect(passed).toEqual(stored);
      },
    ),
  );
});

test("what came before the first one seen is let through, other sequences are others, gaps are filled once", () => {
  const filter = new RepeatFilter();
  const pass = (sequence: string, number: number) => !filter.isRepeat({ sequence, number });
  expect([pass("a", 5), pass("a", 3), pass("b", 5), pass("a", 5)]).toEqual([true, true, true, false]);
  expect([pass("a", 9), pass("a", 7), pass("a", 7), pass("a", 9)]).toEqual([true, true, false, false]);
});

test("it remembers no more than it may: the oldest sequences are forgotten, wide gaps cost nothing", () => {
  const filter = new RepeatFilter();
  for (let n = 0; n < 1_500; n++) filter.isRepeat({ sequence: `s${n}`, number: 0 });
  expect(filter.isRepeat({ sequence: "s1499", number: 0 })).toBe(true);
  expect(filter.isRepeat({ sequence: "s0", number: 0 })).toBe(false);
  expect(filter.isRepeat({ sequence: "s1499", number: 2 ** 50 })).toBe(false);
  expect(filter.isRepeat({ sequence: "s1499", number: 2 ** 50 - 1 })).toBe(false);
  expect(filter.isRepeat({ sequence: "s1499", number: 2 ** 50 - 1 })).toBe(true);
});
