// Buffers of one size that are used again: fresh megabytes cost page faults, and an idle connection should hold none.

export class BufferPool {
  readonly sizeBytes: number;
  readonly #keptMax: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  constructor(sizeBytes: number, keptMax: number) {
    this.sizeBytes = sizeBytes;
    this.#keptMax = keptMax;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(this.sizeBytes);
  }

  /** A buffer that was moved elsewhere, or was another size, is let go. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (buffer.byteLength === this.sizeBytes && this.#free.length < this.#keptMax) this.#free.push(buffer);
  }
}
