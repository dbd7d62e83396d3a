// Time and timers of a client, from outside so that a test can be the one who makes time pass.

export interface ClientClock {
  /** Milliseconds that never go back. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch, for timestamps. */
  dateMs(): number;
  /** Calls once, when `delayMs` have passed; what is returned takes it back. */
  after(delayMs: number, call: () => void): () => void;
  /** Calls again and again, each time when `intervalMs` have passed. */
  every(intervalMs: number, call: () => void): () => void;
}

/** Ends a timer of either kind: all runtimes allow it, and a page has less to load. */
function ending(timer: ReturnType<typeof setTimeout>): () => void {
  return () => clearTimeout(timer);
}

export const systemClock: ClientClock = {
  nowMs: () => performance.now(),
  dateMs: () => Date.now(),
  after: (delayMs, call) => ending(setTimeout(call, delayMs)),
  every: (intervalMs, call) => ending(setInterval(call, intervalMs)),
};
