// Work that comes in bursts, such as newcomers: so much of it is done in one turn of the event loop that who waits meanwhile hardly
// notices; the rest waits for the next turns, in its order.

/** Of one kind of work on one thread. */
export class FewAtATime {
  readonly #perTurn: number;
  readonly #waiting: (() => void)[] = [];
  #doneCount = 0;
  #isScheduled = false;

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  /** Undefined: now; otherwise resolves when it is its turn. */
  turn(): Promise<void> | undefined {
    this.#schedule();
    if (this.#waiting.length === 0 && this.#doneCount < this.#perTurn) {
      this.#doneCount++;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const next = this.#waiting.splice(0, this.#perTurn);
      this.#doneCount = next.length;
      for (const resolve of next) resolve();
      if (next.length > 0) this.#schedule();
    });
  }
}
