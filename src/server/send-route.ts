// The last send of a connection, so that the next one with the same head need not be decoded and looked up again.
import type { Topic } from "../metadata/index.ts";
import type { Partitioning } from "../protocol/partitioning.ts";

/** Size of the messages count, with which a head ends. */
const countBytes = 4;
/** Longer heads (long names and keys) are not remembered. */
const rememberedBytesMax = 256;

/** Where the sends of a connection went last. Most connections send to one place, with the same head every time. */
export class SendRoute {
  /** The head as it came, from the metadata length up to the count. */
  readonly #head = new Uint8Array(rememberedBytesMax);
  #headBytes = 0;
  #metadataVersion = -1;
  partitioning: Partitioning = { kind: "balanced" };
  streamId = 0;
  topic: Topic | undefined;

  /** Position of the count if the head is the remembered one and still means the same; -1 otherwise. */
  countPosition(memory: Uint8Array, position: number, end: number, metadataVersion: number): number {
    const size = this.#headBytes;
    if (size === 0 || this.#metadataVersion !== metadataVersion || position + size + countBytes > end) return -1;
    for (let index = 0; index < size; index++) if (memory[position + index] !== this.#head[index]) return -1;
    return position + size;
  }

  /** Remembers the head that ends with the count at `rowsPosition`. A key is remembered with its own bytes. */
  remember(memory: Uint8Array, position: number, rowsPosition: number, metadataVersion: number): void {
    const size = rowsPosition - countBytes - position;
    this.#headBytes = 0;
    if (size > rememberedBytesMax) return;
    this.#head.set(memory.subarray(position, position + size));
    this.#headBytes = size;
    this.#metadataVersion = metadataVersion;
  }
}
