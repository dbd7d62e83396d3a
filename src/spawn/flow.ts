// One direction of a connection through the faulty network: bytes from one socket to the other, in order, as late as is asked.

import type { Socket } from "node:net";
import type { Timers } from "../platform/clock.ts";

interface Piece {
  /** Undefined: the end of the stream. */
  readonly bytes: Uint8Array | undefined;
  readonly onPassed: (() => void) | undefined;
  isDue: boolean;
}

export class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #timers: Timers;
  readonly #queue: Piece[] = [];
  readonly #cancels = new Set<() => void>();
  #isPaused = false;

  constructor(from: Socket, to: Socket, timers: Timers) {
    this.#from = from;
    this.#to = to;
    this.#timers = timers;
    to.on("drain", () => this.#adjust());
  }

  pause(): void {
    this.#isPaused = true;
    this.#adjust();
  }

  resume(): void {
    this.#isPaused = false;
    this.#flush();
  }

  /** Undefined: the end. `onPassed` is called when the bytes have left. */
  push(bytes: Uint8Array | undefined, delayMs: number, onPassed?: () => void): void {
    const piece = { bytes, onPassed, isDue: delayMs === 0 };
    this.#queue.push(piece);
    if (piece.isDue) {
      this.#flush();
      return;
    }
    const cancel = this.#timers.after(delayMs, () => {
      this.#cancels.delete(cancel);
      piece.isDue = true;
      this.#flush();
    });
    this.#cancels.add(cancel);
  }

  close(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#queue.length = 0;
  }

  /** What is earlier goes first, also where it was sent when everything took longer. */
  #flush(): void {
    while (!this.#isPaused && this.#queue[0]?.isDue === true) {
      const { bytes, onPassed } = this.#queue.shift() ?? {};
      if (bytes === undefined) this.#to.end();
      else if (bytes.length === 0) onPassed?.();
      else this.#to.write(bytes, onPassed);
    }
    this.#adjust();
  }

  #adjust(): void {
    if (this.#isPaused || this.#to.writableNeedDrain) this.#from.pause();
    else this.#from.resume();
  }
}
