// Limits as people choose them and as the broker takes them, and what would go with them.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ConsoleBroker, TopicDetails } from "../../src/client/console-client.ts";
import { choiceOf, limitOf, lossBefore, sizeUnits, timeUnits, unlimited } from "../../src/web/data/retention.ts";

describe("a limit", () => {
  test("that is whole in some unit is the same after it was shown, any other is rounded up", () => {
    for (const units of [timeUnits, sizeUnits]) {
      const least = Object.values(units).reduce((left, right) => (left < right ? left : right));
      const value = fc.bigInt({ min: 0n, max: 10n ** 6n }).map((times) => times * least);
      fc.assert(fc.property(value, (given) => expect(limitOf(choiceOf(given, units), units)).toBe(given)));
      fc.assert(
        fc.property(fc.bigInt({ min: 1n, max: 10n ** 18n }), (given) => {
          const shown = limitOf(choiceOf(given, units), units)!;
          expect(shown).toBeGreaterThanOrEqual(given);
          expect(shown - given).toBeLessThan(least);
        }),
      );
      expect(limitOf(choiceOf(unlimited, units), units)).toBe(unlimited);
    }
  });

  test.each(["", "0", "-1", "1.5", "ten", "99999999999999999999"])("written as %p is none", (amount) => {
    expect(limitOf({ kind: "limit", amount, unit: "days" }, timeUnits)).toBeUndefined();
  });

  test("is read in its unit", () => {
    expect(limitOf({ kind: "limit", amount: "7", unit: "days" }, timeUnits)).toBe(604_800_000_000n);
    expect(choiceOf(90n * 60_000_000n, timeUnits)).toEqual({ kind: "limit", amount: "90", unit: "minutes" });
    expect(choiceOf(1024n ** 3n, sizeUnits)).toEqual({ kind: "limit", amount: "1", unit: "GB" });
  });
});

test("what is too old is counted over all partitions, from their oldest messages on", async () => {
  // Offsets and times of what each partition has; the third is empty.
  const partitions = [
    [
      [10n, 1_000n],
      [11n, 2_000n],
      [12n, 3_000n],
    ],
    [
      [0n, 500n],
      [1n, 600n],
    ],
    [],
  ] as const;
  const topic = {
    id: 7,
    partitions: partitions.map((messages, id) => ({
      id,
      messagesCount: BigInt(messages.length),
      currentOffset: messages.at(-1)?.[0] ?? 0n,
    })),
  } as unknown as TopicDetails;
  const asked: number[] = [];
  const from = {
    pollMessages: async ({ partitionId, strategy }: Parameters<ConsoleBroker["pollMessages"]>[0]) => {
      asked.push(partitionId!);
      const found = partitions[partitionId!]!.find(([, time]) => strategy.kind === "first" || time >= strategy.value);
      return { messages: found === undefined ? [] : [{ offset: found[0], timestampMicros: found[1] }] };
    },
  } as unknown as ConsoleBroker;
  expect(await lossBefore(from, 3, topic, 2_000n)).toEqual({ expired: 3n, oldestMicros: 500n });
  expect(await lossBefore(from, 3, topic, 0n)).toEqual({ expired: 0n, oldestMicros: 500n });
  expect(await lossBefore(from, 3, topic, 9_000n)).toEqual({ expired: 5n, oldestMicros: 500n });
  expect(asked).not.toContain(2);
});
