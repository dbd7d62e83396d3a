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

export const systemClock: ClientClock = {
  nowMs: () => performance.now(),
  dateMs: () => Date.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
  every(intervalMs, call) {
    const timer = setInterval(call, intervalMs);
    return () => clearInterval(timer);
  },
};
