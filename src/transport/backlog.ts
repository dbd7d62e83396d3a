// Bytes of a connection that have arrived and wait for their turn.

export interface Backlog {
  readonly sizeBytes: number;
  /** Adds at the end. The bytes may be kept (not copied). */
  append(bytes: Uint8Array): void;
  /** All that waits; a view that is valid until the next call. */
  peek(): Uint8Array;
  /** Drops the first `count` bytes. */
  consume(count: number): void;
  clear(): void;
}

const nothing: Uint8Array = new Uint8Array(0);

/** Keeps what it is given as it is: for connections whose chunks are small and whose socket is paused soon. */
export class KeptBacklog implements Backlog {
  #bytes: Uint8Array;

  constructor(bytes: Uint8Array = nothing) {
    this.#bytes = bytes;
  }

  get sizeBytes(): number {
    return this.#bytes.byteLength;
  }

  append(bytes: Uint8Array): void {
    this.#bytes = concatenate(this.#bytes, bytes);
  }

  peek(): Uint8Array {
    return this.#bytes;
  }

  consume(count: number): void {
    this.#bytes = count === this.#bytes.byteLength ? nothing : this.#bytes.subarray(count);
  }

  clear(): void {
    this.#bytes = nothing;
  }
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.byteLength === 0) return second;
  if (second.byteLength === 0) return first;
  const joined = new Uint8Array(first.byteLength + second.byteLength);
  joined.set(first);
  joined.set(second, first.byteLength);
  return joined;
}
