// What the load has sent, what was acknowledged, and what a partition must therefore hold after a crash.
import { parseMessages } from "../storage/harness.ts";

/** Producer and its running number on one partition, as they stand at the start of each payload. */
const stampBytes = 8;

/** Payload of message `number` of a producer: the stamp, then bytes that follow from it. */
export function payloadOf(producerId: number, number: number, sizeBytes: number): Uint8Array {
  const payload = new Uint8Array(stampBytes + sizeBytes).fill((producerId * 31 + number) & 0xff);
  const view = new DataView(payload.buffer);
  view.setUint32(0, producerId, true);
  view.setUint32(4, number, true);
  return payload;
}

/** Producer and number as one number that is exact in a double. */
function keyOf(producerId: number, number: number): number {
  return producerId * 2 ** 32 + number;
}

export class PartitionLedger {
  readonly topicId: number;
  readonly partitionId: number;
  /** Keys of every message that was found after a crash, by offset: from then on it must stay. */
  readonly #found: number[] = [];
  readonly #lastOf = new Map<number, number>();
  readonly #next = new Map<number, number>();
  readonly #acknowledged = new Set<number>();

  constructor(topicId: number, partitionId: number) {
    this.topicId = topicId;
    this.partitionId = partitionId;
  }

  /** Offset of the first message that no check has seen. */
  get foundCount(): number {
    return this.#found.length;
  }

  /** Number of the producer's next message. */
  take(producerId: number): number {
    const number = this.#next.get(producerId) ?? 0;
    this.#next.set(producerId, number + 1);
    return number;
  }

  acknowledge(producerId: number, firstNumber: number, count: number): void {
    for (let index = 0; index < count; index++) this.#acknowledged.add(keyOf(producerId, firstNumber + index));
  }

  /** Takes messages as they are stored from offset `firstOffset`; throws where they break a promise. */
  check(firstOffset: number, bytes: Uint8Array): number {
    const messages = parseMessages(bytes);
    messages.forEach(({ offset, payload }, index) => {
      if (offset !== firstOffset + index) throw new Error(`${this.#where(offset)}: expected ${firstOffset + index}`);
      const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
      const producerId = view.getUint32(0, true);
      const number = view.getUint32(4, true);
      const filler = (producerId * 31 + number) & 0xff;
      if (payload.subarray(stampBytes).some((byte) => byte !== filler))
        throw new Error(`${this.#where(offset)}: payload`);
      this.#note(offset, producerId, number);
    });
    return messages.length;
  }

  /** How many acknowledged messages no check has found. */
  get missingCount(): number {
    return this.#acknowledged.size;
  }

  #note(offset: number, producerId: number, number: number): void {
    const key = keyOf(producerId, number);
    const known = this.#found[offset];
    if (known !== undefined) {
      if (known !== key) throw new Error(`${this.#where(offset)}: held ${known}, holds ${key}`);
      return;
    }
    const last = this.#lastOf.get(producerId) ?? -1;
    if (number <= last) throw new Error(`${this.#where(offset)}: ${number} of ${producerId} after ${last}`);
    if (number >= (this.#next.get(producerId) ?? 0))
      throw new Error(`${this.#where(offset)}: ${number} was never sent`);
    this.#lastOf.set(producerId, number);
    this.#found.push(key);
    this.#acknowledged.delete(key);
  }

  #where(offset: number): string {
    return `topic ${this.topicId}, partition ${this.partitionId}, offset ${offset}`;
  }
}
