// Messages that are sent one after the other, in order, until one is refused: what stands behind it is not sent, and nothing is
// sent twice.

export type RunOptions = {
  /** Sends the message of that place. */
  readonly send: (index: number) => Promise<void>;
  readonly count: number;
  /** The first that is not sent yet. */
  readonly start: number;
  /** Undefined: as fast as they are answered. */
  readonly perSecond: number | undefined;
  /** Asked before each. */
  readonly isStopped: () => boolean;
  readonly onSent: (count: number) => void;
};

const secondMs = 1000;

/** How many are sent by now, whoever sent them. Rejects with the error of the first that is refused. */
export async function sendInOrder(options: RunOptions): Promise<number> {
  const { send, count, start, perSecond, isStopped, onSent } = options;
  const startedMs = performance.now();
  for (let index = start; index < count; index++) {
    if (perSecond !== undefined && index > start) {
      const dueMs = startedMs + ((index - start) * secondMs) / perSecond;
      const pauseMs = dueMs - performance.now();
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    if (isStopped()) return index;
    await send(index);
    onSent(index + 1);
  }
  return count;
}
