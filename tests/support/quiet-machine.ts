// Limits that hold only where the machine does nothing else: how long something takes. The suite must pass on a machine that
// is busy, so it asserts counts, bytes and order; with WHIPPET_QUIET_MACHINE=1 it asserts these limits as well.
import { expect } from "bun:test";

const isQuiet = process.env.WHIPPET_QUIET_MACHINE === "1";

/** On a quiet machine, `tookMs` must be below `limitMs`; the best of several goes on where the machine may still do other things. */
export function expectQuick(what: string, tookMs: number, limitMs: number): void {
  if (!isQuiet) return;
  console.info(`${what}: ${tookMs.toFixed(1)} ms of ${limitMs}`);
  expect(tookMs).toBeLessThan(limitMs);
}
