import { expect, test } from "bun:test";
import fc from "fast-check";
import { ClientCounts, createClientCounts } from "../../src/shard/client-counts.ts";

test("what one shard counts every shard reads: of a source and in all, with and without a login", () => {
  const memory = createClientCounts();
  const [first, second] = [new ClientCounts(memory), new ClientCounts(memory)];
  first.opened("10.0.0.1");
  second.opened("10.0.0.1");
  second.opened("10.0.0.2");
  const numbers = () => [second.total, first.totalWithoutLogin, first.of("10.0.0.1"), first.withoutLoginOf("10.0.0.1")];
  expect(numbers()).toEqual([3, 3, 2, 2]);
  first.loggedIn("10.0.0.1");
  expect(numbers()).toEqual([3, 2, 2, 1]);
  second.loggedOut("10.0.0.1");
  expect(numbers()).toEqual([3, 3, 2, 2]);
  first.loggedIn("10.0.0.1");
  first.closed("10.0.0.1", true);
  second.closed("10.0.0.1", false);
  expect(numbers()).toEqual([1, 1, 0, 0]);
  expect(first.of("10.0.0.2")).toBe(1);
});

test("many sources: none has less than it has, and only few have more", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.ipV4(), { minLength: 100, maxLength: 2000 }), (sources) => {
      const counts = new ClientCounts(createClientCounts());
      for (const source of sources) counts.opened(source);
      const wrong = sources.filter((source) => counts.of(source) !== 1);
      for (const source of wrong) expect(counts.of(source)).toBeGreaterThan(1);
      expect(wrong.length).toBeLessThanOrEqual(1 + sources.length / 50);
    }),
    { numRuns: 20 },
  );
});
