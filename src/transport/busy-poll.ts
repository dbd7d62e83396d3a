// A short watch after a small exchange: a client that waits for its reply sends its next request some 20 to 40 µs after it, and a thread
// that went to sleep in between takes longer than that to wake up. So after each piece of work the event loop looks for more
// for a moment without sleeping. It yields the processor at every look, so that it costs only what nobody else wants.
//
// Not while several clients are at work: then there is always something that comes next, and what the looks cost is
// missing where a server and its clients share the processors. And not while other programs want the processor: a thread that yields
// to them waits for its turn, milliseconds later, where one that sleeps is run as soon as its request comes.
import { native } from "../platform/ffi.ts";

/** How long after the last piece of work. A connection with 1,000 requests a second costs at most 5 % of a core by it. */
const watchMs = 0.05;
/** Two clients within this time keep a shard busy without a watch. */
const sharedMs = 1;
/** A yield that takes longer gave the processor to somebody who wanted it, and who keeps it for a slice of milliseconds. */
const yieldedMs = 0.3;
/** How long there is no watch then. One look of this long in 200 ms is what is lost to find out that nobody wants it any more. */
const contendedMs = 200;

export class BusyPoll {
  #untilMs = 0;
  #isWatching = false;
  #lastClientId = 0;
  #lastMs = 0;
  #sharedUntilMs = 0;
  #contendedUntilMs = 0;

  /** Something was done for this client. */
  touch(clientId: number): void {
    if (native === undefined) return;
    const nowMs = performance.now();
    if (this.isShared(clientId, nowMs) || this.isContended(nowMs)) return;
    this.#untilMs = nowMs + watchMs;
    if (this.#isWatching) return;
    this.#isWatching = true;
    setImmediate(this.#look);
  }

  /** Notes the client; whether another one was at work a moment ago. */
  isShared(clientId: number, nowMs: number): boolean {
    if (clientId !== this.#lastClientId) {
      if (nowMs - this.#lastMs < sharedMs) this.#sharedUntilMs = nowMs + sharedMs;
      this.#lastClientId = clientId;
    }
    this.#lastMs = nowMs;
    return nowMs < this.#sharedUntilMs;
  }

  /** Notes when the processor was given away, and when it came back. */
  noteYield(fromMs: number, toMs: number): void {
    if (toMs - fromMs > yieldedMs) this.#contendedUntilMs = toMs + contendedMs;
  }

  /** Whether somebody else wanted the processor a moment ago. */
  isContended(nowMs: number): boolean {
    return nowMs < this.#contendedUntilMs;
  }

  /** While an immediate is due the runtime polls its sockets without waiting. */
  readonly #look = (): void => {
    const nowMs = performance.now();
    this.#isWatching = nowMs < this.#untilMs;
    if (!this.#isWatching) return;
    native?.sched_yield();
    const afterMs = performance.now();
    this.noteYield(nowMs, afterMs);
    this.#isWatching = !this.isContended(afterMs);
    if (this.#isWatching) setImmediate(this.#look);
  };
}
