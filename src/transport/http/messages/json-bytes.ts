// JSON text as bytes, in memory that is used again and again. Text that is made of JavaScript strings lies about until the next
// collection: forty clients that ask for gigabytes and read nothing would make hundreds of megabytes of it.

import { readU32 } from "../../../protocol/byte-reader.ts";

const quote = 0x22;
const comma = 0x2c;
const zero = 0x30;
const padding = 0x3d;

/** Of four characters; every machine that the runtime knows is little-endian. */
const wordBytes = 4;

/** Decimal digits of the largest u32, u64 and u128. */
export const u32DigitsMax = 10;
export const u64DigitsMax = 20;
export const u128DigitsMax = 39;

const base64Alphabet = ascii("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
/** Two characters of base64, the first in the low byte, for 12 bits. */
const base64Pairs = Int32Array.from(
  { length: 4096 },
  (_, bits) => base64Alphabet[bits >> 6]! | (base64Alphabet[bits & 63]! << 8),
);
/** The same in the upper half of a word. */
const base64UpperPairs = base64Pairs.map((pair) => pair << 16);
/** From here on the runtime's encoder is faster than the table, in spite of its string (1 KB: 0.11 against 0.46 µs). */
const encoderBytesMin = 192;

/** Bytes of text in ASCII. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Size of the base64 of so many bytes. */
export function base64TextBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 3) * 4;
}

/** Writes pieces of JSON one after the other. Room is made by `reserve`, once for many pieces: the others do not check. */
export class JsonBytes {
  #bytes: Buffer;
  /** The same memory. */
  #words: Int32Array<ArrayBuffer>;
  #length = 0;
  readonly #makesStrings: boolean;

  /** With `makesStrings` long base64 is made by the runtime: in less time, with a string for each. */
  constructor(capacityBytes: number, { makesStrings = false } = {}) {
    this.#words = new Int32Array(Math.ceil(capacityBytes / wordBytes));
    this.#bytes = Buffer.from(this.#words.buffer);
    this.#makesStrings = makesStrings;
  }

  get length(): number {
    return this.#length;
  }

  /** What was written since `clear`; valid until the next change. */
  get written(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#words.buffer, 0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Makes room for so many more bytes. */
  reserve(sizeBytes: number): void {
    const wantedBytes = this.#length + sizeBytes;
    if (wantedBytes <= this.#bytes.length) return;
    const words = new Int32Array(Math.ceil(Math.max(wantedBytes, 2 * this.#bytes.length) / wordBytes));
    const larger = Buffer.from(words.buffer);
    larger.set(this.written);
    this.#words = words;
    this.#bytes = larger;
  }

  comma(): void {
    this.#bytes[this.#length++] = comma;
  }

  quote(): void {
    this.#bytes[this.#length++] = quote;
  }

  fragment(fragment: Uint8Array): void {
    this.#length = copyShort(this.#bytes, this.#length, fragment);
  }

  /** 0 to 2^32 - 1. */
  u32(value: number): void {
    this.#length = writeSafe(this.#bytes, this.#length, value);
  }

  /** The little-endian u64 at the position. */
  u64(bytes: Uint8Array, position: number): void {
    this.#length = writeU64(this.#bytes, this.#length, readU32(bytes, position + 4), readU32(bytes, position));
  }

  /** The little-endian u128 at the position. */
  u128(bytes: Uint8Array, position: number): void {
    const word3 = readU32(bytes, position + 12);
    const word2 = readU32(bytes, position + 8);
    const word1 = readU32(bytes, position + 4);
    const word0 = readU32(bytes, position);
    this.#length =
      word3 === 0 && word2 === 0
        ? writeU64(this.#bytes, this.#length, word1, word0)
        : writeU128(this.#bytes, this.#length, word3, word2, word1, word0);
  }

  /** Base64 of the bytes, without quotes. */
  base64(bytes: Uint8Array, start: number, end: number): void {
    if (this.#makesStrings && end - start >= encoderBytesMin) {
      this.#length += this.#bytes.write(bytes.subarray(start, end).toBase64(), this.#length, "latin1");
      return;
    }
    const wholeEnd = (this.#length & 3) === 0 ? start + Math.trunc((end - start) / 3) * 3 : start;
    const wordIndex = writeWords(this.#words, this.#length >> 2, bytes, start, wholeEnd);
    const position = wholeEnd === start ? this.#length : wordIndex << 2;
    this.#length = writeBase64(this.#bytes, position, bytes, wholeEnd, end);
  }
}

/** For short pieces a loop costs less than a call of the runtime. */
function copyShort(out: Uint8Array, position: number, fragment: Uint8Array): number {
  const { length } = fragment;
  for (let index = 0; index < length; index++) out[position + index] = fragment[index]!;
  return position + length;
}

/** Base64 of a multiple of three bytes, a word for three: a third faster. Text that begins at a word is common in large parts. */
function writeWords(words: Int32Array, wordIndex: number, bytes: Uint8Array, start: number, end: number): number {
  let target = wordIndex;
  for (let source = start; source < end; source += 3, target++) {
    const middle = bytes[source + 1]!;
    words[target] =
      base64Pairs[(bytes[source]! << 4) | (middle >> 4)]! |
      base64UpperPairs[((middle & 15) << 8) | bytes[source + 2]!]!;
  }
  return target;
}

function writeBase64(out: Uint8Array, position: number, bytes: Uint8Array, start: number, end: number): number {
  let target = position;
  let source = start;
  for (; source + 3 <= end; source += 3, target += 4) {
    const middle = bytes[source + 1]!;
    const first = base64Pairs[(bytes[source]! << 4) | (middle >> 4)]!;
    const second = base64Pairs[((middle & 15) << 8) | bytes[source + 2]!]!;
    out[target] = first;
    out[target + 1] = first >> 8;
    out[target + 2] = second;
    out[target + 3] = second >> 8;
  }
  if (source === end) return target;
  const middle = source + 1 < end ? bytes[source + 1]! : 0;
  const first = base64Pairs[(bytes[source]! << 4) | (middle >> 4)]!;
  out[target] = first;
  out[target + 1] = first >> 8;
  out[target + 2] = source + 1 < end ? base64Pairs[(middle & 15) << 8]! : padding;
  out[target + 3] = padding;
  return target + 4;
}

// Numbers. A division of 32-bit words by a million leaves a remainder below 2^20, which with the next word stays below 2^52:
// exact as a float. A u64 is below 2^53 after one such step, a u128 after four.
const step = 1e6;
const word = 2 ** 32;

function writeU64(out: Uint8Array, position: number, high: number, low: number): number {
  if (high < 2 ** 21) return writeSafe(out, position, high * word + low);
  const highQuotient = Math.floor(high / step);
  const rest = (high - highQuotient * step) * word + low;
  const lowQuotient = Math.floor(rest / step);
  const end = writeSafe(out, position, highQuotient * word + lowQuotient);
  return writeSix(out, end, rest - lowQuotient * step);
}

/** Of the four steps of `writeU128`, in the order in which they are made. */
const sixes = new Int32Array(4);

/** At least 2^64: the steps never run out of digits. */
function writeU128(
  out: Uint8Array,
  position: number,
  word3: number,
  word2: number,
  word1: number,
  word0: number,
): number {
  let quotient3 = word3;
  let quotient2 = word2;
  let quotient1 = word1;
  let quotient0 = word0;
  let steps = 0;
  while (quotient3 !== 0 || quotient2 !== 0 || quotient1 >= 2 ** 21) {
    let dividend = quotient3;
    quotient3 = Math.floor(dividend / step);
    dividend = (dividend - quotient3 * step) * word + quotient2;
    quotient2 = Math.floor(dividend / step);
    dividend = (dividend - quotient2 * step) * word + quotient1;
    quotient1 = Math.floor(dividend / step);
    dividend = (dividend - quotient1 * step) * word + quotient0;
    quotient0 = Math.floor(dividend / step);
    sixes[steps++] = dividend - quotient0 * step;
  }
  let end = writeSafe(out, position, quotient1 * word + quotient0);
  while (steps > 0) end = writeSix(out, end, sixes[--steps]!);
  return end;
}

/** 0 to 2^53 - 1. */
function writeSafe(out: Uint8Array, position: number, value: number): number {
  if (value < 1e8) return writeInt(out, position, value);
  const high = Math.floor(value / 1e8);
  const low = value - high * 1e8;
  const end = writeInt(out, position, high);
  const upper = (low / 100) | 0;
  const next = writeSix(out, end, upper);
  return writeTwo(out, next, low - upper * 100);
}

/** 0 to 10^8 - 1. */
function writeInt(out: Uint8Array, position: number, value: number): number {
  const end =
    position +
    (value < 1e4
      ? value < 100
        ? value < 10
          ? 1
          : 2
        : value < 1000
          ? 3
          : 4
      : value < 1e6
        ? value < 1e5
          ? 5
          : 6
        : value < 1e7
          ? 7
          : 8);
  let rest = value | 0;
  for (let target = end - 1; target >= position; target--) {
    const tenth = (rest / 10) | 0;
    out[target] = zero + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}

/** Six digits with leading zeros. */
function writeSix(out: Uint8Array, position: number, value: number): number {
  const upper = (value / 10_000) | 0;
  const lower = (value | 0) - upper * 10_000;
  const middle = (lower / 100) | 0;
  writeTwo(out, position, upper);
  writeTwo(out, position + 2, middle);
  return writeTwo(out, position + 4, lower - middle * 100);
}

/** Two digits with a leading zero. */
function writeTwo(out: Uint8Array, position: number, value: number): number {
  const tens = (value / 10) | 0;
  out[position] = zero + tens;
  out[position + 1] = zero + (value | 0) - tens * 10;
  return position + 2;
}
