// Whether anything happens between clients and a broker, so that who makes time pass knows when everything has been done that
// can be done without more of it.

/** Turns of the event loop in which nothing happens: what one turn begins, the next ones see. */
const calmTurns = 4;
/** After bytes have passed somebody may still be at work with them, whom nobody sees. */
const calmMs = 2;
/** An answer that has not come by then, in so many turns, waits for something: for time, or for a fault to end. */
const stuckMs = 100;
const stuckTurns = 50;

export class Activity {
  #events = 0;
  #busyCount = 0;
  /** Whether answers are to come, as far as is known. */
  readonly #isAwaited: () => boolean;

  constructor(isAwaited: () => boolean) {
    this.#isAwaited = isAwaited;
  }

  /** Something has happened. */
  note(): void {
    this.#events++;
  }

  /** Something is under way that ends by itself and soon. What is returned says that it has ended. */
  begin(): () => void {
    this.#busyCount++;
    this.note();
    let hasEnded = false;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      this.#busyCount--;
      this.note();
    };
  }

  /** Resolves when nothing happens any more. */
  async calm(): Promise<void> {
    const atFirst = this.#events;
    let seen = atFirst;
    let turns = 0;
    let sinceMs = performance.now();
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#events !== seen || this.#busyCount > 0) {
        seen = this.#events;
        turns = 0;
        sinceMs = performance.now();
        continue;
      }
      turns++;
      const quietMs = performance.now() - sinceMs;
      const needed = this.#isAwaited()
        ? { turns: stuckTurns, ms: stuckMs }
        : { turns: calmTurns, ms: seen === atFirst ? 0 : calmMs };
      if (turns >= needed.turns && quietMs >= needed.ms) return;
    }
  }
}
