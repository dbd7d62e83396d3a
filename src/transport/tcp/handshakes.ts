// TLS handshakes under way: the runtime waits for their ends for ever.

const checkMs = 1000;

export interface HandshakesOptions<S> {
  readonly timeoutMs: number;
  /** Its handshake took longer. */
  readonly onLate: (socket: S) => void;
}

export class Handshakes<S> {
  readonly #options: HandshakesOptions<S>;
  /** When each began, the oldest first. */
  readonly #startedMs = new Map<S, number>();
  #timer: Timer | undefined;

  constructor(options: HandshakesOptions<S>) {
    this.#options = options;
  }

  get count(): number {
    return this.#startedMs.size;
  }

  began(socket: S): void {
    this.#startedMs.set(socket, performance.now());
    this.#timer ??= setInterval(() => this.#closeLate(), Math.min(checkMs, this.#options.timeoutMs));
  }

  /** Done, or its connection is gone. */
  ended(socket: S): void {
    this.#startedMs.delete(socket);
    if (this.#startedMs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #closeLate(): void {
    const lateMs = performance.now() - this.#options.timeoutMs;
    for (const [socket, startedMs] of this.#startedMs) {
      if (startedMs > lateMs) return;
      this.ended(socket);
      this.#options.onLate(socket);
    }
  }
}
