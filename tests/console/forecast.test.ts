// When the disk will be full, out of what was free.
import { expect, test } from "bun:test";
import { History } from "../../src/observability/history.ts";
import { daysUntilFull } from "../../src/server/console/forecast.ts";

const hourMs = 3_600_000;
const startMs = 1_700_000_000_000;
const gigabyte = 1024 ** 3;

/** A sample each minute; what is free after so many hours. */
function after(hours: number, freeAt: (hours: number) => number): number | undefined {
  const history = new History([{ name: "disk.free", kind: "mean" }], 8 * 1024 * 1024);
  for (let minute = 0; minute <= hours * 60; minute++) history.add(startMs + minute * 60_000, [freeAt(minute / 60)]);
  return daysUntilFull(history, startMs + hours * hourMs);
}

test("a disk that loses as much each hour is full when nothing is left", () => {
  // 100 GB, of which one goes each hour: after 24 hours 76 are left.
  expect(after(24, (hours) => (100 - hours) * gigabyte)).toBeCloseTo(76 / 24, 1);
  // What goes up and down in between does not matter.
  expect(after(24, (hours) => (100 - hours + 3 * Math.sin(hours * 7)) * gigabyte)).toBeCloseTo(76 / 24, 0);
});

test("nothing is said of a disk that does not fill, or that is known for a short time only", () => {
  expect(after(24, () => 100 * gigabyte)).toBeUndefined();
  expect(after(24, (hours) => (100 + hours) * gigabyte)).toBeUndefined();
  expect(after(1, (hours) => (100 - hours * 50) * gigabyte)).toBeUndefined();
});
