// A channel of the console that says the same thing anew every few seconds, while somebody looks: what takes a question to every
// shard. A reader that is slow is told later, and never what is old.
import type { Channel } from "./tail.ts";

export interface Repeated<T> {
  readonly everyMs: number;
  /** Throws where the reader may not have it any more. */
  readonly check: () => void;
  /** Called at once and then again and again; where it rejects the channel ends. */
  readonly read: () => Promise<T>;
}

export interface RepeatingReader<T> {
  /** Whether the socket takes more. */
  readonly takesMore: boolean;
  show(value: T): void;
  failed(error: unknown): void;
}

export class Repeating<T> implements Channel {
  readonly #what: Repeated<T>;
  readonly #reader: RepeatingReader<T>;
  readonly #timer: Timer;
  #isReading = false;
  #isOver = false;

  /** Errors: those of `check`. */
  constructor(what: Repeated<T>, reader: RepeatingReader<T>) {
    what.check();
    this.#what = what;
    this.#reader = reader;
    this.#timer = setInterval(() => void this.#tell(), what.everyMs);
    void this.#tell();
  }

  credit(): void {}

  drained(): void {}

  recheck(): void {
    this.#what.check();
  }

  close(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  async #tell(): Promise<void> {
    if (this.#isReading || !this.#reader.takesMore) return;
    this.#isReading = true;
    try {
      const value = await this.#what.read();
      if (!this.#isOver) this.#reader.show(value);
    } catch (error) {
      if (this.#isOver) return;
      this.close();
      this.#reader.failed(error);
    } finally {
      this.#isReading = false;
    }
  }
}
