// Reads little-endian primitives from a window of bytes (spec BP 1). Reading past the end or text that is not UTF-8 is
// InvalidCommand (3), the answer of spec BP 2.9 for a payload that is too short.

import { IggyError } from "./errors.ts";

// A leading byte order mark is part of the text: names are taken as they are (spec BP 3.1).
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of UTF-8 bytes; InvalidCommand (3) if they are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new IggyError("InvalidCommand", [], { cause });
  }
}

/** A cursor over `bytes` from `position` (inclusive) to `end` (exclusive). It never copies. */
export class ByteReader {
  /** Byte position of the next read, counted from the start of `bytes`. */
  position: number;
  readonly end: number;
  /** Where the read that was refused for want of bytes would have ended; 0 if there was none (frame detection). */
  refusedEnd = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
    this.end = Math.min(end, bytes.length);
  }

  /** Bytes that are left. */
  get remaining(): number {
    return this.end - this.position;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  u128(): bigint {
    const position = this.#advance(16);
    const low = this.#view.getBigUint64(position, true);
    return low | (this.#view.getBigUint64(position + 8, true) << 64n);
  }

  f32(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }

  /** The next `sizeBytes` bytes as a view of the same memory. */
  bytes(sizeBytes: number): Uint8Array {
    const position = this.#advance(sizeBytes);
    return this.#bytes.subarray(position, position + sizeBytes);
  }

  /** The next `sizeBytes` bytes as text. */
  string(sizeBytes: number): string {
    return decodeUtf8(this.bytes(sizeBytes));
  }

  #advance(sizeBytes: number): number {
    const position = this.position;
    if (sizeBytes > this.end - position) {
      this.refusedEnd = position + sizeBytes;
      throw new IggyError("InvalidCommand");
    }
    this.position = position + sizeBytes;
    return position;
  }
}

/** The u32 at `position`, without an object for it: for the hot path. The caller has made sure that 4 bytes are there. */
export function readU32(bytes: Uint8Array, position: number): number {
  const low = bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16);
  return (low | (bytes[position + 3]! << 24)) >>> 0;
}
