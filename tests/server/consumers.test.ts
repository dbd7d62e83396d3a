import { describe, expect, test } from "bun:test";
import { createCatalog } from "../../src/metadata/catalog.ts";
import type { Topic } from "../../src/metadata/index.ts";
import type { Consumer } from "../../src/protocol/consumer.ts";
import { requireConsumer, resolveConsumer } from "../../src/server/consumers.ts";
import { toSafeNumber } from "../../src/server/numbers.ts";

const numbered = (kind: Consumer["kind"], value: number): Consumer => ({ kind, id: { kind: "numeric", value } });
const named = (kind: Consumer["kind"], value: string): Consumer => ({ kind, id: { kind: "string", value } });
const topic: Topic = {
  id: 2,
  name: "paid",
  createdAtMicros: 1,
  compression: 1,
  messageExpiryMicros: 0n,
  maxTopicSizeBytes: 0n,
  replicationFactor: 1,
  partitions: [],
  groups: createCatalog(),
};

describe("a single consumer", () => {
  test.each([0, 1, 0xffff_ffff])("is kept under its number %d", (id) => {
    expect(resolveConsumer(numbered("consumer", id))).toEqual({ kind: "consumer", id });
    expect(requireConsumer(numbered("consumer", id), topic)).toEqual({ kind: "consumer", id });
  });

  // The second vector is that of spec BP 8.
  test.each([
    ["a", 1_426_945_110],
    ["consumer-1", 1_338_303_147],
    ["größe", Bun.hash.xxHash32("größe", 0)],
  ])("is kept under the hash of its name %s", (text, id) => {
    expect(resolveConsumer(named("consumer", text))).toEqual({ kind: "consumer", id });
  });

  test("with a name of digits is not the one with that number", () => {
    expect(resolveConsumer(named("consumer", "7"))).not.toEqual(resolveConsumer(numbered("consumer", 7)));
  });
});

describe("a group that does not exist", () => {
  test.each([
    numbered("group", 3),
    named("group", "workers"),
  ])("%j has no key, and is 5000 where it is needed", (consumer) => {
    expect(resolveConsumer(consumer)).toBeUndefined();
    expect(() => requireConsumer(consumer, topic)).toThrow(expect.objectContaining({ code: 5000 }));
  });
});

test("numbers of the wire past 2^53 become the largest exact one", () => {
  const largest = Number.MAX_SAFE_INTEGER;
  expect([0n, 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n].map(toSafeNumber)).toEqual([
    0,
    1,
    largest,
    largest,
    largest,
  ]);
});
