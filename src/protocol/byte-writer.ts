// Writes little-endian primitives into a buffer that grows (spec BP 1). A number that does not fit its field is
// InvalidNumberValue (84): it would otherwise reach the wire as another number.

import { IggyError } from "./errors.ts";

const utf8 = new TextEncoder();

/** UTF-8 bytes of a text. A lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return utf8.encode(text);
}

/** A growing buffer with a write cursor at its end. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #sizeBytes = 0;

  constructor(capacityBytes = 64) {
    this.#bytes = new Uint8Array(Math.max(capacityBytes, 16));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far; also the position of the next write. */
  get position(): number {
    return this.#sizeBytes;
  }

  u8(value: number): void {
    if ((value & 0xff) !== value) throw new IggyError("InvalidNumberValue");
    const position = this.#advance(1);
    this.#view.setUint8(position, value);
  }

  u16(value: number): void {
    if ((value & 0xffff) !== value) throw new IggyError("InvalidNumberValue");
    const position = this.#advance(2);
    this.#view.setUint16(position, value, true);
  }

  u32(value: number): void {
    if (value >>> 0 !== value) throw new IggyError("InvalidNumberValue");
    const position = this.#advance(4);
    this.#view.setUint32(position, value, true);
  }

  u64(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw new IggyError("InvalidNumberValue");
    const position = this.#advance(8);
    this.#view.setBigUint64(position, value, true);
  }

  u128(value: bigint): void {
    if (BigInt.asUintN(128, value) !== value) throw new IggyError("InvalidNumberValue");
    const position = this.#advance(16);
    this.#view.setBigUint64(position, BigInt.asUintN(64, value), true);
    this.#view.setBigUint64(position + 8, value >> 64n, true);
  }

  f32(value: number): void {
    const position = this.#advance(4);
    this.#view.setFloat32(position, value, true);
  }

  /** Copies `bytes`. */
  bytes(bytes: Uint8Array): void {
    const position = this.#advance(bytes.length);
    this.#bytes.set(bytes, position);
  }

  /** UTF-8 bytes of `text` without a length. */
  string(text: string): void {
    this.bytes(encodeUtf8(text));
  }

  /** Overwrites four bytes written earlier, for lengths that are known only afterwards. */
  patchU32(position: number, value: number): void {
    if (value >>> 0 !== value) throw new IggyError("InvalidNumberValue");
    this.#view.setUint32(position, value, true);
  }

  /** What was written, as a view of the writer's memory; the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#sizeBytes);
  }

  /** Makes room; may replace `#bytes` and `#view`, so call it before either is read. */
  #advance(sizeBytes: number): number {
    const position = this.#sizeBytes;
    const neededBytes = position + sizeBytes;
    if (neededBytes > this.#bytes.length) this.#grow(neededBytes);
    this.#sizeBytes = neededBytes;
    return position;
  }

  #grow(neededBytes: number): void {
    const grown = new Uint8Array(Math.max(neededBytes, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#sizeBytes));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Writes a u32 at `position`, without an object for it: for the hot path. The caller has made sure that 4 bytes are there. */
export function writeU32(target: Uint8Array, position: number, value: number): void {
  target[position] = value;
  target[position + 1] = value >>> 8;
  target[position + 2] = value >>> 16;
  target[position + 3] = value >>> 24;
}
