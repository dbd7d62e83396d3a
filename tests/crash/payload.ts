// Payloads that say whose they are, so that a message in the wrong place, from before a purge or with other bytes is known.
import { parseMessages } from "../storage/harness.ts";

const headBytes = 16;

export interface MessageName {
  /** Of the partition that it was sent to. */
  readonly mark: number;
  readonly producer: number;
  readonly number: number;
  /** How many purges of the partition came before it. */
  readonly purgesBefore: number;
}

export interface FoundMessage extends MessageName {
  readonly offset: number;
}

function fillerOf({ mark, number }: MessageName): number {
  return (mark * 31 + number) & 0xff;
}

export function payloadOf(name: MessageName, sizeBytes: number): Uint8Array {
  const payload = new Uint8Array(headBytes + sizeBytes).fill(fillerOf(name));
  const view = new DataView(payload.buffer);
  view.setUint32(0, name.mark, true);
  view.setUint32(4, name.producer, true);
  view.setUint32(8, name.number, true);
  view.setUint32(12, name.purgesBefore, true);
  return payload;
}

/** Messages as a poll gives them. Throws where a checksum or a payload is not what it was. */
export function readMessages(bytes: Uint8Array): FoundMessage[] {
  return parseMessages(bytes).map(({ offset, payload }) => {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const message = {
      offset,
      mark: view.getUint32(0, true),
      producer: view.getUint32(4, true),
      number: view.getUint32(8, true),
      purgesBefore: view.getUint32(12, true),
    };
    const filler = fillerOf(message);
    if (payload.subarray(headBytes).some((byte) => byte !== filler))
      throw new Error(`offset ${offset} has other bytes`);
    return message;
  });
}

/** Producer and number as one number that is exact in a double. */
export function keyOf({ producer, number }: { readonly producer: number; readonly number: number }): number {
  return producer * 2 ** 32 + number;
}
