/** Wall-clock time for timestamps, from outside so that tests and simulations can set it. */
export interface Clock {
  /** Microseconds since the Unix epoch, a whole number. Follows the wall clock, so it may step back with it. */
  nowMicros(): number;
}

/** How far the fine clock may be from the wall clock, whose own step is one millisecond. */
const DRIFT_MAX_MS = 2;

/**
 * `Date.now()` follows the wall clock in steps of a millisecond, `performance.now()` is fine but never adjusted. So the
 * fine clock counts from an anchor, and the anchor is set anew whenever the two part (time was set, machine slept).
 */
export function createSystemClock(wallMs: () => number, fineMs: () => number): Clock {
  let anchorMs = wallMs() - fineMs();
  return {
    nowMicros() {
      const fine = fineMs();
      const wall = wallMs();
      if (Math.abs(anchorMs + fine - wall) > DRIFT_MAX_MS) anchorMs = wall - fine;
      return Math.floor((anchorMs + fine) * 1000);
    },
  };
}

export const systemClock: Clock = createSystemClock(
  () => Date.now(),
  () => performance.now(),
);

/**
 * Time that passes, for ages and time limits: never set and never stepping, and the same for all threads of the process. It
 * began with the wall clock's time; it stands still while the machine sleeps.
 */
export const monotonicClock: Clock = {
  nowMicros: () => Math.floor((performance.timeOrigin + performance.now()) * 1000),
};
