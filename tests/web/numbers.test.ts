// Numbers and times as text: exact where they are counts, short where they are sizes.
import { expect, test } from "bun:test";
import { narrowed } from "../../src/web/pages/narrowed.ts";
import { count, counted, duration, exactSize, size, utcTime } from "../../src/web/words/numbers.ts";

test("counts keep every digit", () => {
  expect(count(2n ** 64n - 1n)).toBe("18,446,744,073,709,551,615");
  expect(exactSize(1234)).toBe("1,234 bytes");
});

test("what there is one of is no plural", () => {
  expect([0, 1, 2n, 1n].map((value) => counted(value, "topic"))).toEqual([
    "0 topics",
    "1 topic",
    "2 topics",
    "1 topic",
  ]);
  expect(exactSize(1)).toBe("1 byte");
});

test.each([
  [0n, "0 B"],
  [1023n, "1,023 B"],
  [1024n, "1.0 KB"],
  [1536n, "1.5 KB"],
  [102_348n, "99.9 KB"],
  [102_400n, "100 KB"],
  [412n * 1024n * 1024n, "412 MB"],
  [2n ** 64n - 1n, "16.0 EB"],
])("%d bytes are %s", (bytes, expected) => {
  expect(size(bytes)).toBe(expected);
});

test("times go to the microsecond, and beyond what a date can be", () => {
  expect(utcTime(1_796_000_000_123_456n)).toBe("2026-11-30T00:53:20.123456Z");
  expect(utcTime(2n ** 64n - 1n)).toBe("18446744073709551615 µs");
});

test("durations have two units", () => {
  expect([0n, 1n, 90_000_000n, 604_800_000_000n, 90_061_000_000n].map(duration)).toEqual([
    "0 s",
    "1 µs",
    "1 min 30 s",
    "7 d",
    "1 d 1 h",
  ]);
});

test("lists are narrowed by name and sorted by any column, equal rows by name", () => {
  const rows = [
    { name: "b10", size: 2n },
    { name: "B2", size: 2n },
    { name: "a", size: 10n },
  ];
  const values = { size: ({ size }: { readonly size: bigint }) => size };
  const names = (query: string, column: string, isDescending: boolean) =>
    narrowed(rows, query, { column, isDescending }, values).map(({ name }) => name);
  expect(names("", "name", false)).toEqual(["a", "B2", "b10"]);
  expect(names("b", "name", true)).toEqual(["b10", "B2"]);
  expect(names("", "size", true)).toEqual(["a", "B2", "b10"]);
  expect(names("x", "name", false)).toEqual([]);
});

test("a list is put in order once for all filters, and anew for another column or direction", () => {
  const rows = Array.from({ length: 100 }, (_, size) => ({ name: `topic-${size % 10}-${size}`, size }));
  let asked = 0;
  const values = {
    size: ({ size }: { readonly size: number }) => {
      asked++;
      return size;
    },
  };
  const sizes = (query: string, column: string, isDescending: boolean) =>
    narrowed(rows, query, { column, isDescending }, values).map(({ size }) => size);
  const descending = sizes("", "size", true);
  expect(descending).toEqual(rows.map(({ size }) => size).reverse());
  const askedOnce = asked;
  for (const query of ["t", "TOPIC-7", "-7-", "none", " topic-7- "]) {
    expect(sizes(query, "size", true)).toEqual(
      descending.filter((size) => `topic-${size % 10}-${size}`.includes(query.trim().toLowerCase())),
    );
  }
  expect(asked).toBe(askedOnce);
  expect(sizes("-7-", "size", false)).toEqual([7, 17, 27, 37, 47, 57, 67, 77, 87, 97]);
  expect(sizes("-7-1", "name", false)).toEqual([17]);
  expect(narrowed(rows.slice(0, 2), "", { column: "size", isDescending: true }, values)).toHaveLength(2);
});
