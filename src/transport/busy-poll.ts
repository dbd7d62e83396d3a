// A short watch after a small exchange: a client that waits for its reply sends its next request some 20 to 40 µs after it, and a thread
// that went to sleep in between takes longer than that to wake up. So after each piece of work the event loop looks for more
// for a moment without sleeping. It yields the processor at every look, so that it costs only what nobody else wants.
import { native } from "../platform/ffi.ts";

/** How long after the last piece of work. A connection with 1,000 requests a second costs at most 5 % of a core by it. */
const watchMs = 0.05;

export class BusyPoll {
  #untilMs = 0;
  #isWatching = false;

  /** Something was done. */
  touch(): void {
    if (native === undefined) return;
    this.#untilMs = performance.now() + watchMs;
    if (this.#isWatching) return;
    this.#isWatching = true;
    setImmediate(this.#look);
  }

  /** While an immediate is due the runtime polls its sockets without waiting. */
  readonly #look = (): void => {
    this.#isWatching = performance.now() < this.#untilMs;
    if (!this.#isWatching) return;
    native?.sched_yield();
    setImmediate(this.#look);
  };
}
