import { expect, test } from "bun:test";
import { seededRandom, systemRandom } from "../../src/platform/random.ts";

test("equal seeds give equal sequences, other seeds others", () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    const bytes = new Uint8Array(8);
    random.fill(bytes);
    return [random.u32(), ...bytes, random.u32()];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test.each([
  ["seeded", seededRandom(3)],
  ["system", systemRandom],
])("%s: u32 and fill spread over their range", (_name, random) => {
  const draws = Array.from({ length: 4096 }, () => random.u32());
  expect(draws.every((draw) => Number.isInteger(draw) && draw >= 0 && draw < 2 ** 32)).toBe(true);
  expect(new Set(draws).size).toBeGreaterThan(4090);
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length / 2 ** 32;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
  const bytes = new Uint8Array(200_000);
  random.fill(bytes.subarray(10, 199_990));
  expect(bytes.subarray(0, 10).every((byte) => byte === 0)).toBe(true);
  expect(bytes.subarray(199_990).every((byte) => byte === 0)).toBe(true);
  const counts = new Uint32Array(256);
  for (const byte of bytes.subarray(10, 199_990)) counts[byte]!++;
  expect(Math.min(...counts)).toBeGreaterThan(500);
});
