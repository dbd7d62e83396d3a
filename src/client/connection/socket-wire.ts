// A TCP socket as a wire: what requests of one turn make leaves together, and waits here while the socket takes no more.

import type { Wire } from "./framed-connection.ts";
import { SendQueue, type WriteSome } from "./send-queue.ts";

export class SocketWire implements Wire {
  readonly #outgoing = new SendQueue();
  readonly #write: WriteSome;
  readonly #end: (cause: unknown) => void;
  #isEnded = false;
  /** True while a flush is scheduled or the socket has to drain first. */
  #flushWaits = false;

  /** `end`: closes the socket, at once where there is a cause. */
  constructor(write: WriteSome, end: (cause: unknown) => void) {
    this.#write = write;
    this.#end = end;
  }

  get queuedBytes(): number {
    return this.#outgoing.queuedBytes;
  }

  get sentBytes(): number {
    return this.#outgoing.takenBytes;
  }

  send(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#outgoing.push(piece);
    if (this.#flushWaits) return;
    this.#flushWaits = true;
    // At the end of the turn, so that requests made together leave together.
    queueMicrotask(() => this.flush());
  }

  /** Writes as much as the socket takes: also to be called when it has drained. */
  flush(): void {
    if (!this.#isEnded) this.#flushWaits = !this.#outgoing.flush(this.#write);
  }

  end(cause: unknown): void {
    this.#isEnded = true;
    this.#end(cause);
  }
}
