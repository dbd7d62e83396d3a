import { assert } from "../../platform/assert.ts";

/** Size of the seed of a kernel's generator of message ids. */
export const seedBytes = 32;

/** The seed as eight little-endian 32-bit words: the state of xoshiro256++, which must not be all zeros. */
export function seedWords(seed: Uint8Array): Uint32Array {
  assert(seed.byteLength === seedBytes, "a kernel's seed has 32 bytes", { sizeBytes: seed.byteLength });
  const view = new DataView(seed.buffer, seed.byteOffset, seedBytes);
  const words = Uint32Array.from({ length: 8 }, (_, word) => view.getUint32(word * 4, true));
  assert(
    words.some((word) => word !== 0),
    "a kernel's seed is not all zeros",
  );
  return words;
}

/**
 * Random version-4 UUIDs (spec SB 4.2) from xoshiro256++, the same sequence as the WebAssembly kernel's for the same seed.
 * Each 64-bit word is two 32-bit halves, low half first.
 */
export class MessageIdSource {
  readonly #state: Uint32Array;
  #low = 0;
  #high = 0;

  /** `seed` has 32 bytes, not all 0. */
  constructor(seed: Uint8Array) {
    this.#state = seedWords(seed);
  }

  /** Writes 16 bytes in text order: byte 6 has the high nibble 4, byte 8 the two high bits 10. */
  write(view: DataView, position: number): void {
    this.#next();
    view.setUint32(position, this.#low, true);
    view.setUint32(position + 4, (this.#high & 0xff0fffff) | 0x00400000, true);
    this.#next();
    view.setUint32(position + 8, (this.#low & 0xffffff3f) | 0x80, true);
    view.setUint32(position + 12, this.#high, true);
  }

  #next(): void {
    const state = this.#state;
    const low0 = state[0]!;
    const high0 = state[1]!;
    const low1 = state[2]!;
    const high1 = state[3]!;
    const low3 = state[6]!;
    const high3 = state[7]!;

    // rotl(s0 + s3, 23) + s0
    const sumLow = low0 + low3;
    const sumHigh = (high0 + high3 + (sumLow > 0xffffffff ? 1 : 0)) >>> 0;
    const rotatedLow = ((sumLow << 23) | (sumHigh >>> 9)) >>> 0;
    const rotatedHigh = ((sumHigh << 23) | ((sumLow >>> 0) >>> 9)) >>> 0;
    const resultLow = rotatedLow + low0;
    this.#low = resultLow >>> 0;
    this.#high = (rotatedHigh + high0 + (resultLow > 0xffffffff ? 1 : 0)) >>> 0;

    const newLow2 = state[4]! ^ low0;
    const newHigh2 = state[5]! ^ high0;
    const newLow3 = low3 ^ low1;
    const newHigh3 = high3 ^ high1;
    state[2] = low1 ^ newLow2;
    state[3] = high1 ^ newHigh2;
    state[0] = low0 ^ newLow3;
    state[1] = high0 ^ newHigh3;
    state[4] = newLow2 ^ (low1 << 17);
    state[5] = newHigh2 ^ ((high1 << 17) | (low1 >>> 15));
    // rotl(s3, 45): the halves change places, then 13 bits
    state[6] = (newHigh3 << 13) | (newLow3 >>> 19);
    state[7] = (newLow3 << 13) | (newHigh3 >>> 19);
  }
}
