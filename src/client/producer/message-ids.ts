// Ids of a producer's messages: UUIDs of version 8 (RFC 9562) with 58 random bits for each partition of a producer, and a number
// that counts up. So an id costs neither a random number nor a BigInt, and who reads can tell what was stored twice.
//
//   bytes of the text     0 to 6 (low half)    random, the high half of byte 6 is the version
//   byte 7                6 bits random, the 2 highest bits of the number
//   bytes 8 to 15         the variant in 2 bits, 62 bits of the number
//
// On the wire an id is a number with its least significant byte first (spec BP 3.7), that is the text's bytes backwards.

const idBytes = 16;
const high32 = 2 ** 32;
const variantBits = 0x8000_0000;
const versionBits = 0x80;

/** Positions on the wire. */
const lowPosition = 0;
const highPosition = 4;
const restPosition = 8;

/** Numbers the messages of one partition. */
export class MessageIds {
  /** Bytes 8 to 15 on the wire, in two numbers: what is the same in all ids. */
  readonly #restLow: number;
  readonly #restHigh: number;
  #next = 0;

  constructor(random: (bytes: Uint8Array<ArrayBuffer>) => void = (bytes) => crypto.getRandomValues(bytes)) {
    const rest = new Uint8Array(idBytes - restPosition);
    random(rest);
    // Byte 7 of the text has the 2 highest bits of the number, which stays below 2^53; byte 6 has the version.
    rest[0] = (rest[0] ?? 0) & 0xfc;
    rest[1] = versionBits | ((rest[1] ?? 0) & 0x0f);
    const view = new DataView(rest.buffer);
    this.#restLow = view.getUint32(0, true);
    this.#restHigh = view.getUint32(4, true);
  }

  /** Writes the next id as it stands on the wire. */
  write(view: DataView, position: number): void {
    const number = this.#next++;
    view.setUint32(position + lowPosition, number % high32, true);
    view.setUint32(position + highPosition, variantBits | Math.floor(number / high32), true);
    view.setUint32(position + restPosition, this.#restLow, true);
    view.setUint32(position + restPosition + 4, this.#restHigh, true);
  }
}

/** What an id says. `sequence` tells the partitions of producers apart. */
export type ReadMessageId = { readonly sequence: string; readonly number: number };

/** Sequence and number of an id on the wire; undefined if it is not of this kind, or of somebody who counts beyond 2^53. */
export function readMessageId(bytes: Uint8Array, position: number): ReadMessageId | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + position, idBytes);
  const high = view.getUint32(highPosition, true);
  const isOurs = (view.getUint8(9) & 0xf0) === versionBits && high >>> 30 === 2 && (view.getUint8(8) & 3) === 0;
  const highBits = high & 0x3fff_ffff;
  if (!isOurs || highBits >= 2 ** 21) return undefined;
  const sequence = `${view.getUint32(8, true)}.${view.getUint32(12, true)}`;
  return { sequence, number: highBits * high32 + view.getUint32(lowPosition, true) };
}
