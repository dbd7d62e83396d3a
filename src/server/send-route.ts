// The last send of a connection, so that the next one with the same head need not be decoded and looked up again.
import type { Topic } from "../metadata/index.ts";
import type { Partitioning } from "../protocol/partitioning.ts";

/** Size of the messages count, with which a head ends. */
export const countBytes = 4;
/** Longer heads (long names and keys) are not remembered. */
const rememberedBytesMax = 256;

/** Where the sends of a connection went last. Most connections send to one place, with the same head every time. */
export class SendRoute {
  /** The head as it came, from the metadata length up to the count. */
  readonly #head = new Uint8Array(rememberedBytesMax);
  #headBytes = 0;
  #metadataVersion = -1;
  #partitioning: Partitioning = { kind: "balanced" };
  #streamId = 0;
  #topic: Topic | undefined;

  get partitioning(): Partitioning {
    return this.#partitioning;
  }

  get streamId(): number {
    return this.#streamId;
  }

  get topic(): Topic | undefined {
    return this.#topic;
  }

  /** The next send is looked up again. */
  forget(): void {
    this.#headBytes = 0;
  }

  /** Another place: the head that led to the previous one is forgotten. */
  set(streamId: number, topic: Topic, partitioning: Partitioning): void {
    this.#headBytes = 0;
    this.#streamId = streamId;
    this.#topic = topic;
    // A key is a view of the frame.
    this.#partitioning = partitioning.kind === "key" ? { kind: "key", key: partitioning.key.slice() } : partitioning;
  }

  /** Position of the count if the head is the remembered one and still means the same; -1 otherwise. */
  countPosition(memory: Uint8Array, position: number, end: number, metadataVersion: number): number {
    const size = this.#headBytes;
    if (size === 0 || this.#metadataVersion !== metadataVersion || position + size + countBytes > end) return -1;
    for (let index = 0; index < size; index++) if (memory[position + index] !== this.#head[index]) return -1;
    return position + size;
  }

  /** After `set`: remembers the head that led there, which ends with the count before `rowsPosition`. */
  remember(memory: Uint8Array, position: number, rowsPosition: number, metadataVersion: number): void {
    const size = rowsPosition - countBytes - position;
    if (size > rememberedBytesMax) return;
    this.#head.set(memory.subarray(position, position + size));
    this.#headBytes = size;
    this.#metadataVersion = metadataVersion;
  }
}
