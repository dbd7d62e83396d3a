// Positions and ranges of the command line.
import { describe, expect, test } from "bun:test";
import { positionAt, rangeOf } from "../../src/cli/ranges.ts";
import { UsageError } from "../../src/cli/usage-error.ts";

const nowMicros = 1_764_410_520_000_000n;
const position = positionAt(() => nowMicros);
const localMidnight = (text: string) => BigInt(new Date(`${text}T00:00`).getTime()) * 1000n;

describe("a position", () => {
  test.each([
    ["first", { kind: "first" }],
    ["new", { kind: "new" }],
    ["last:20", { kind: "last", count: 20n }],
    ["0", { kind: "offset", offset: 0n }],
    ["18446744073709551615", { kind: "offset", offset: 18_446_744_073_709_551_615n }],
    ["-10m", { kind: "time", micros: nowMicros - 600_000_000n }],
    ["@-1h", { kind: "time", micros: nowMicros - 3_600_000_000n }],
    ["@1764410520", { kind: "time", micros: nowMicros }],
    ["@1764410520000", { kind: "time", micros: nowMicros }],
    ["@1764410520000000", { kind: "time", micros: nowMicros }],
    ["@2026-11-29T10:02Z", { kind: "time", micros: 1_795_946_520_000_000n }],
    ["@2026-11-29", { kind: "time", micros: localMidnight("2026-11-29") }],
  ] as const)("%s", (given, read) => expect(position(given)).toEqual(read));

  test.each([
    "",
    "last",
    "last:",
    "last:x",
    "-",
    "-10",
    "@",
    "@yesterday",
    "1.5",
    "+3",
    "@2026-13-01",
  ])("%p is none", (given) => expect(() => position(given)).toThrow(UsageError));

  test("of two times is a range, with or without hours and a second @", () => {
    for (const given of ["@2026-11-01:2026-11-02", "@2026-11-01:@2026-11-02", "@2026-11-01T00:00:2026-11-02T00:00"]) {
      expect(position(given)).toEqual({
        kind: "range",
        from: { kind: "time", micros: localMidnight("2026-11-01") },
        to: { kind: "time", micros: localMidnight("2026-11-02") },
      });
    }
    expect(position("@1764410520:-1m")).toMatchObject({ to: { kind: "time", micros: nowMicros - 60_000_000n } });
  });
});

describe("a range", () => {
  const both = position("@2026-11-01:2026-11-02");

  test("begins where nothing is said, and ends where there is nothing more", () =>
    expect(rangeOf(undefined, undefined, { kind: "first" })).toEqual({ from: { kind: "first" }, to: undefined }));

  test("has one way to say its end", () => {
    expect(() => rangeOf(both, position("9"), { kind: "first" })).toThrow("--to has no place");
    for (const given of ["first", "new", "last:3"]) {
      expect(() => rangeOf(undefined, position(given), { kind: "first" })).toThrow("--to takes");
    }
    expect(() => rangeOf(undefined, both, { kind: "first" })).toThrow("--to takes");
  });
});
