// The form that moves a group, as a request, and what its preview comes to.
import { describe, expect, test } from "bun:test";
import { effectOf, readPartitions, requestOf } from "../../src/web/groups/move.ts";

const place = { stream: "orders", topic: "payments", group: "billing" };

describe("a form", () => {
  test("says what is asked for", () => {
    expect(requestOf(place, { kind: "latest", value: "", partitions: "all" })).toEqual({
      ...place,
      to: { kind: "latest" },
      dryRun: true,
    });
    expect(requestOf(place, { kind: "offset", value: "1,204", partitions: "0, 2" })).toMatchObject({
      to: { kind: "offset", value: "1204" },
      partitions: [0, 2],
    });
    expect(requestOf(place, { kind: "time", value: "2026-11-29T10:02Z", partitions: "" })).toMatchObject({
      to: { kind: "time", value: "1795946520000000" },
    });
  });

  test.each([
    ["offset", "many", "all", "offset"],
    ["offset", "", "all", "offset"],
    ["time", "soon", "all", "time"],
    ["earliest", "", "1, x", "partitions"],
  ] as const)("that means nothing says what is wrong: %s %p %p", (kind, value, partitions, problem) => {
    expect(requestOf(place, { kind, value, partitions })).toBe(problem);
  });
});

test.each([
  ["all", "all"],
  [" ", "all"],
  ["3", [3]],
  ["5-7, 1,5", [1, 5, 6, 7]],
  ["7-5", undefined],
  ["-1", undefined],
  ["1,,2", undefined],
  ["0-9999999", undefined],
])("partitions %p are %p", (text, ids) => {
  expect(readPartitions(text)).toEqual(ids as ReturnType<typeof readPartitions>);
});

test.each([
  [
    { from: "4", to: "10" },
    { before: 4n, after: 10n, again: 0n, skipped: 6n },
  ],
  [
    { from: "10", to: null },
    { before: 10n, after: 2n, again: 8n, skipped: 0n },
  ],
  [
    { from: null, to: null },
    { before: 2n, after: 2n, again: 0n, skipped: 0n },
  ],
  // Retention has removed what came next.
  [
    { from: "1", to: "3" },
    { before: 1n, after: 3n, again: 0n, skipped: 1n },
  ],
])("from and to %p come to %p", (change, effect) => {
  expect(effectOf({ partition: 0, first: "2", end: "12", ...change })).toEqual(effect);
});
