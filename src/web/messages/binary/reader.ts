// Bytes that a decoder takes one after the other, with the bounds that keep any payload from costing more than it is worth.

/** Why bytes are not what they are read as; the words are the page's. */
export type DecodeProblem = "ends" | "rest" | "unknown" | "text" | "deep" | "many" | "value" | "schema";

export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly problem: DecodeProblem;
  /** Position in the payload. */
  readonly position: number;
  /** What is wrong there, for example a byte or a field. */
  readonly detail: string;

  constructor(problem: DecodeProblem, position: number, detail = "") {
    super(`${problem} at ${position} ${detail}`);
    this.problem = problem;
    this.position = position;
    this.detail = detail;
  }
}

/** Values of one payload: an array of nothing can claim to have any number of them. */
const valuesMax = 200_000;
const depthMax = 200;
const strictText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type Spent = { values: number; depth: number };

export class ByteSource {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #spent: Spent;
  position = 0;

  /** `outer`: what it is a part of, whose bounds it shares. */
  constructor(bytes: Uint8Array, outer?: ByteSource) {
    this.#spent = outer === undefined ? { values: 0, depth: 0 } : outer.#spent;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.position === this.#bytes.length;
  }

  get rest(): number {
    return this.#bytes.length - this.position;
  }

  /** Counts a value. Throws DecodeError for too many. */
  count(): void {
    if (++this.#spent.values > valuesMax) throw new DecodeError("many", this.position, String(valuesMax));
  }

  /** What is inside something else. Throws DecodeError where it is too deep. */
  within<T>(read: () => T): T {
    if (++this.#spent.depth > depthMax) throw new DecodeError("deep", this.position, String(depthMax));
    const value = read();
    this.#spent.depth--;
    return value;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** The next byte, which is read again. */
  peek(): number {
    const byte = this.u8();
    this.position--;
    return byte;
  }

  /** Big-endian, of 1 to 8 bytes. */
  uint(sizeBytes: number): bigint {
    let value = 0n;
    for (const byte of this.bytes(sizeBytes)) value = (value << 8n) | BigInt(byte);
    return value;
  }

  int(sizeBytes: number): bigint {
    return BigInt.asIntN(sizeBytes * 8, this.uint(sizeBytes));
  }

  float32(isLittleEndian = false): number {
    return this.#view.getFloat32(this.#take(4), isLittleEndian);
  }

  float64(isLittleEndian = false): number {
    return this.#view.getFloat64(this.#take(8), isLittleEndian);
  }

  u32Little(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64Little(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** Views of the payload. `size` may be as large as a payload claims. */
  bytes(size: number | bigint): Uint8Array {
    if (BigInt(size) > BigInt(this.rest)) throw new DecodeError("ends", this.#bytes.length);
    const start = this.#take(Number(size));
    return this.#bytes.subarray(start, start + Number(size));
  }

  text(size: number | bigint): string {
    const start = this.position;
    const bytes = this.bytes(size);
    try {
      return strictText.decode(bytes);
    } catch {
      throw new DecodeError("text", start); // not UTF-8, which is all that a strict decoder can say
    }
  }

  /** Throws DecodeError if bytes are left. */
  end(): void {
    if (!this.isAtEnd) throw new DecodeError("rest", this.position, String(this.rest));
  }

  #take(size: number): number {
    const start = this.position;
    if (size > this.rest) throw new DecodeError("ends", this.#bytes.length);
    this.position += size;
    return start;
  }
}

/** One value that takes all bytes. Throws DecodeError. */
export function readWhole<T>(payload: Uint8Array, readValue: (source: ByteSource) => T): T {
  const source = new ByteSource(payload);
  const value = readValue(source);
  source.end();
  return value;
}

/** A number as JSON would have it; 32 bits as short as they are exact. */
export function floatText(value: number, isSingle: boolean): string {
  if (!isSingle || !Number.isFinite(value) || value === 0) return numberText(value);
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return numberText(Number(text));
  }
  return numberText(value);
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
