// The head of a send of 0.9: what names the partition, and the header of the batch (spec P9 8.1). It comes before the frames of
// the messages, in pieces perhaps, and is small.
import { readU32 } from "../../protocol/byte-reader.ts";
import { batchHeaderBytes } from "../../protocol/v09/batch-layout.ts";

/** Of the length in front of stream, topic, partitioning and count. */
const lengthBytes = 4;
/** Two names and a key of 255 bytes each, with their kinds and lengths, and the count. */
const metadataBytesMax = 3 * 257 + 4;

export class SendHead09 {
  readonly #memory = new Uint8Array(lengthBytes + metadataBytesMax + batchHeaderBytes);
  #filledBytes = 0;
  #wantedBytes = lengthBytes;
  #bodyBytes = 0;
  #isWhole = false;

  /** Another send begins, with a body of `bodyBytes`. */
  begin(bodyBytes: number): void {
    this.#filledBytes = 0;
    this.#wantedBytes = lengthBytes;
    this.#bodyBytes = bodyBytes;
    this.#isWhole = false;
  }

  /** Whether nothing more of the head is to come. */
  get isDone(): boolean {
    return this.#filledBytes === this.#wantedBytes || this.#wantedBytes > this.#bodyBytes;
  }

  /** Bytes of the body that were taken. */
  get sizeBytes(): number {
    return this.#filledBytes;
  }

  /** A view; undefined: the body holds no head. */
  get bytes(): Uint8Array | undefined {
    return this.#isWhole ? this.#memory.subarray(0, this.#filledBytes) : undefined;
  }

  /** Takes what belongs to the head; how many bytes. */
  take(bytes: Uint8Array): number {
    let taken = 0;
    while (!this.isDone && taken < bytes.byteLength) {
      const count = Math.min(this.#wantedBytes - this.#filledBytes, bytes.byteLength - taken);
      this.#memory.set(bytes.subarray(taken, taken + count), this.#filledBytes);
      this.#filledBytes += count;
      taken += count;
      if (this.#filledBytes === this.#wantedBytes) this.#measure();
    }
    return taken;
  }

  #measure(): void {
    if (this.#filledBytes > lengthBytes) {
      this.#isWhole = true;
      return;
    }
    const metadataBytes = readU32(this.#memory, 0);
    // A length that no head has leaves the head at its first four bytes, and not whole.
    if (metadataBytes <= metadataBytesMax) this.#wantedBytes = lengthBytes + metadataBytes + batchHeaderBytes;
  }
}
