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

/** What happens later, from outside so that a simulation can be the one that makes time pass. What is returned takes it back. */
export interface Timers {
  /** Calls once, when `delayMs` (0 to 2^31 - 1) have passed. */
  after(delayMs: number, call: () => void): () => void;
  /** Calls again and again, each time when `intervalMs` (1 to 2^31 - 1) have passed. */
  every(intervalMs: number, call: () => void): () => void;
}

export const systemTimers: Timers = {
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
  every(intervalMs, call) {
    const timer = setInterval(call, intervalMs);
    return () => clearInterval(timer);
  },
};
