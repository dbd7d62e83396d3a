import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  EXPIRY_SERVER_DEFAULT,
  formatByteSize,
  formatDurationMicros,
  formatExpiry,
  formatMaxTopicSize,
  NEVER_EXPIRE,
  parseByteSize,
  parseDurationMicros,
  parseExpiry,
  parseMaxTopicSize,
  TOPIC_SIZE_SERVER_DEFAULT,
  UNLIMITED_TOPIC_SIZE,
  UnitError,
} from "../../src/config/units.ts";

const safe = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const DAY = 86_400_000_000;

describe("byte sizes", () => {
  test.each([
    ["0", 0],
    ["512", 512],
    ["512 B", 512],
    ["2 MB", 2_000_000],
    ["2MB", 2_000_000],
    ["100 KB", 100_000],
    ["1 KiB", 1024],
    ["1 MiB", 1_048_576],
    ["1.5 GiB", 1_610_612_736],
    ["4 TB", 4e12],
    ["1 TiB", 2 ** 40],
    ["8 b", 1],
    ["9 b", 2],
    ["8 Kb", 1000],
    ["0.1 B", 1],
    ["  7 KB ", 7000],
  ])("%p is %d bytes", (text, sizeBytes) => expect(parseByteSize(text)).toBe(sizeBytes));

  test.each([
    "",
    "MB",
    "-1",
    "1 XB",
    "1,5 MB",
    "1 MB 2",
    "1e3",
    "unlimited",
    "none",
    "9999 PB",
  ])("%p is refused", (text) => expect(() => parseByteSize(text)).toThrow(UnitError));

  test.each(["0", "unlimited", "Unlimited", "none", "None"])("%p is zero where zero words are allowed", (text) =>
    expect(parseByteSize(text, { zeroWords: true })).toBe(0));

  test.each([
    [0, "0 B"],
    [1001, "1001 B"],
    [2_000_000, "2 MB"],
    [2 ** 30, "1 GiB"],
    [128_000_000, "128 MB"],
    [500 * 1024, "500 KiB"],
  ])("%d bytes are shown as %p", (sizeBytes, text) => expect(formatByteSize(sizeBytes)).toBe(text));

  test("the shown size parses to the same size", () => {
    const scaled = fc.tuple(fc.nat({ max: 4095 }), fc.nat({ max: 4 })).map(([count, power]) => count * 1024 ** power);
    fc.assert(fc.property(fc.oneof(safe, scaled), (size) => parseByteSize(formatByteSize(size)) === size));
  });
});

describe("durations", () => {
  test.each([
    ["0", 0],
    ["unlimited", 0],
    ["Disabled", 0],
    ["NONE", 0],
    ["1500 ns", 1],
    ["7us", 7],
    ["7 µs", 7],
    ["3 millis", 3000],
    ["30s", 30e6],
    ["1 m", 60e6],
    ["1M", 60e6],
    ["2 hrs", 7200e6],
    ["7 days", 7 * DAY],
    ["1 wk", 7 * DAY],
    ["1 month", 30.44 * DAY],
    ["2 years", 730.5 * DAY],
    ["2 days 4 hours 15 minutes", 2 * DAY + 15_300e6],
    ["1h30m", 5400e6],
  ])("%p is %d µs", (text, micros) => expect(parseDurationMicros(text)).toBe(micros));

  test.each(["", "5", "1.5 h", "-1s", "s", "1 fortnight", "1h 5", "1h, 5m", "300 years"])("%p is refused", (text) =>
    expect(() => parseDurationMicros(text)).toThrow(UnitError));

  test("the shown duration parses to the same duration", () => {
    fc.assert(fc.property(safe, (micros) => parseDurationMicros(formatDurationMicros(micros)) === micros));
  });
});

describe("expiry", () => {
  test.each([
    ["none", NEVER_EXPIRE],
    ["Unlimited", NEVER_EXPIRE],
    ["never_expire", NEVER_EXPIRE],
    ["default", EXPIRY_SERVER_DEFAULT],
    ["Server_default", EXPIRY_SERVER_DEFAULT],
    ["0", EXPIRY_SERVER_DEFAULT],
    ["1 h", 3_600_000_000n],
    ["1m", 60_000_000n],
    ["1M", 2_630_016_000_000n],
    ["4294967295s", 4_294_967_295_000_000n],
  ])("%p is %p on the wire", (text, wire) => expect(parseExpiry(text)).toBe(wire));

  test.each(["NONE", "5", "4294967296s", "1 H", ""])("%p is refused", (text) =>
    expect(() => parseExpiry(text)).toThrow(UnitError));

  test("the shown expiry parses to the same expiry", () => {
    const wire = fc.oneof(fc.constantFrom(NEVER_EXPIRE, EXPIRY_SERVER_DEFAULT), fc.bigInt(1n, 4_294_967_295_000_000n));
    fc.assert(fc.property(wire, (expiry) => parseExpiry(formatExpiry(expiry)) === expiry));
  });
});

describe("topic size limit", () => {
  test.each([
    ["unlimited", UNLIMITED_TOPIC_SIZE],
    ["server_default", TOPIC_SIZE_SERVER_DEFAULT],
    ["0", TOPIC_SIZE_SERVER_DEFAULT],
    ["none", TOPIC_SIZE_SERVER_DEFAULT],
    ["Unlimited", TOPIC_SIZE_SERVER_DEFAULT],
    ["10 GiB", 10n * 2n ** 30n],
  ])("%p is %p on the wire", (text, wire) => expect(parseMaxTopicSize(text)).toBe(wire));

  test("the shown limit parses to the same limit", () => {
    const wire = fc.oneof(fc.constantFrom(UNLIMITED_TOPIC_SIZE, TOPIC_SIZE_SERVER_DEFAULT), safe.map(BigInt));
    fc.assert(fc.property(wire, (limit) => parseMaxTopicSize(formatMaxTopicSize(limit)) === limit));
  });
});

test("any text is read or refused with a UnitError", () => {
  const parsers = [parseByteSize, parseDurationMicros, parseExpiry, parseMaxTopicSize];
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...parsers), (text, parse) => {
      try {
        return parse(text) >= 0;
      } catch (error) {
        return error instanceof UnitError;
      }
    }),
  );
});
