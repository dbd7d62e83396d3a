// At most so many requests and bytes under way on the connection of a client's commands; more wait their turn.
import { Fifo } from "../fifo.ts";
import { commandBytesInFlightMax, commandsInFlightMax } from "../limits.ts";

type Waiting = { readonly bytes: number; readonly enter: () => void };

export class InFlightGate {
  readonly #waiting = new Fifo<Waiting>();
  #count = 0;
  #bytes = 0;

  /** Undefined where there is room at once. What is larger than all room goes alone. */
  enter(bytes: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#hasRoom(bytes)) {
      this.#take(bytes);
      return undefined;
    }
    return new Promise((enter) => this.#waiting.push({ bytes, enter }));
  }

  leave(bytes: number): void {
    this.#count--;
    this.#bytes -= bytes;
    for (;;) {
      const next = this.#waiting.peek();
      if (next === undefined || !this.#hasRoom(next.bytes)) return;
      this.#waiting.shift();
      this.#take(next.bytes);
      next.enter();
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#count === 0 || (this.#count < commandsInFlightMax && this.#bytes + bytes <= commandBytesInFlightMax);
  }

  #take(bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
  }
}
