// Follows frames of 0.8 through a stream of bytes that comes in any pieces, and looks at nothing but their heads.

const headBytes = 8;

export interface FrameHead {
  readonly first: number;
  readonly second: number;
}

export class FrameStream {
  readonly #restOf: (head: FrameHead) => number;
  readonly #head = new Uint8Array(headBytes);
  readonly #view = new DataView(this.#head.buffer);
  #headFill = 0;
  #restBytes = 0;

  /** `restOf` is called for each head, and says how many bytes of its frame follow it. */
  constructor(restOf: (head: FrameHead) => number) {
    this.#restOf = restOf;
  }

  /** Bytes are in the middle of a frame. */
  get isInside(): boolean {
    return this.#headFill > 0 || this.#restBytes > 0;
  }

  /** The next bytes, up to the end of a frame at most, from `position` on; where they end. */
  take(bytes: Uint8Array, position: number): number {
    let at = position;
    if (this.#restBytes === 0) {
      while (this.#headFill < headBytes && at < bytes.length) this.#head[this.#headFill++] = bytes[at++] ?? 0;
      if (this.#headFill < headBytes) return at;
      this.#headFill = 0;
      this.#restBytes = this.#restOf({ first: this.#view.getUint32(0, true), second: this.#view.getUint32(4, true) });
    }
    const count = Math.min(this.#restBytes, bytes.length - at);
    this.#restBytes -= count;
    return at + count;
  }
}
