// Ends that do not wait for ever.

import type { Clock } from "./clock.ts";

/** Waits for `work`, `timeoutMs` at most; it is told by `isLate` when nobody waits any more. Leaves no timer behind. */
export async function within(
  timeoutMs: number,
  clock: Clock,
  work: (isLate: () => boolean) => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  let isLate = false;
  const late = clock.wait(timeoutMs, done.signal).then(() => {
    isLate = true;
  });
  try {
    await Promise.race([work(() => isLate), late]);
  } finally {
    done.abort();
  }
}
