// Bytes on their way to the socket. Bun's `socket.write` says how many bytes it took and forgets the rest, so what was
// not taken stays here until the socket drains. Small frames are copied together, large ones are written where they lie.

import { Fifo } from "../fifo.ts";
import { mergedFrameBytesMax, mergedWriteBytesMax } from "../limits.ts";

/** Takes a prefix of the bytes and returns its size; less than 1 means "not now". */
export type WriteSome = (bytes: Uint8Array) => number;

export class SendQueue {
  readonly #frames = new Fifo<Uint8Array>();
  /** Rest of what was last offered to the socket. */
  #current: Uint8Array | undefined;
  #queuedBytes = 0;
  #takenBytes = 0;

  /** Bytes pushed since the beginning: the position in the stream where the next frame starts. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes that the socket took since the beginning. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** Adds bytes without copying; they must not change until the socket took them. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#frames.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  /** Writes until everything is taken (true) or the socket takes no more (false: call again when it drains). */
  flush(write: WriteSome): boolean {
    for (;;) {
      this.#current ??= this.#next();
      const current = this.#current;
      if (current === undefined) return true;
      const taken = Math.max(write(current), 0);
      this.#takenBytes += taken;
      if (taken < current.length) {
        this.#current = current.subarray(taken);
        return false;
      }
      this.#current = undefined;
    }
  }

  #next(): Uint8Array | undefined {
    const first = this.#frames.shift();
    if (first === undefined || first.length > mergedFrameBytesMax) return first;
    const parts = [first];
    let sizeBytes = first.length;
    for (;;) {
      const next = this.#frames.peek();
      if (next === undefined || next.length > mergedFrameBytesMax || sizeBytes + next.length > mergedWriteBytesMax)
        break;
      parts.push(next);
      sizeBytes += next.length;
      this.#frames.shift();
    }
    return parts.length === 1 ? first : Buffer.concat(parts, sizeBytes);
  }
}
