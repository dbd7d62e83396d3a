// Waiting that ends: by the value, by a deadline, or by the caller's signal.

import type { ClientClock } from "../clock.ts";

/** What a call can be ended with, and by when. */
export type Patience = {
  readonly signal?: AbortSignal | undefined;
  readonly clock: ClientClock;
  /** By `clock.nowMs()`. */
  readonly deadlineMs: number;
  /** What the wait rejects with when the time is over. */
  readonly onTimeout: () => unknown;
};

/** `promise`, or a rejection with `signal.reason` or with what `onTimeout` gives. Whatever the promise does later is not looked at. */
export function inTime<T>(promise: Promise<T>, { signal, clock, deadlineMs, onTimeout }: Patience): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      promise.catch(ignore);
      reject(signal.reason);
      return;
    }
    const abort = () => end(() => reject(signal?.reason));
    const restMs = Math.max(0, deadlineMs - clock.nowMs());
    const forget = clock.after(restMs, () => end(() => reject(onTimeout())));
    const end = (settle: () => void) => {
      forget();
      signal?.removeEventListener("abort", abort);
      settle();
    };
    signal?.addEventListener("abort", abort);
    promise.then(
      (value) => end(() => resolve(value)),
      (reason: unknown) => end(() => reject(reason)),
    );
  });
}

/** `promise`, or a rejection with the signal's reason. */
export function aborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Sleeps for `ms`; resolves early when the signal aborts, and leaves no timer behind. */
export function pause(ms: number, signal: AbortSignal | undefined, clock: ClientClock): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      forget();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const forget = clock.after(ms, end);
    signal?.addEventListener("abort", end);
  });
}

function ignore(): void {
  // The caller has got the signal's reason already.
}
