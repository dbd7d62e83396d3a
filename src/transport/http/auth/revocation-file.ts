// The bytes of the file of revoked access tokens. Two copies of the same, so that one flipped bit leaves one of them whole:
// an id with a wrong bit would accept a token that was revoked.
//
// A copy, little-endian: [magic u32][format u32][payload length u64][payload][XXH3-64 of all that u64]. The payload is a
// MessagePack list of [id, seconds].
//
// Version 0.1.0 wrote what the original writes: one MessagePack map from id to seconds, once and unchecked (spec HA 4.4).
import { decode, encode } from "@msgpack/msgpack";

const magic = 0x4b_54_4d_57; // WMTK
const format = 1;
const formatAt = 4;
const payloadLengthAt = 8;
const headBytes = 16;
const checksumBytes = 8;

export interface FoundRevocations {
  /** When each token ends by itself, in seconds, by id. */
  readonly expiries: Map<string, number>;
  /** `corrected`: one of the copies is damaged. `unchecked`: the file is in the format of version 0.1.0. */
  readonly state: "whole" | "corrected" | "unchecked";
}

/** Both copies. */
export function encodeRevocations(expiries: ReadonlyMap<string, number>): Uint8Array {
  const payload = encode([...expiries]);
  const copyBytes = headBytes + payload.byteLength + checksumBytes;
  const bytes = Buffer.alloc(2 * copyBytes);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(format, formatAt);
  bytes.writeBigUInt64LE(BigInt(payload.byteLength), payloadLengthAt);
  bytes.set(payload, headBytes);
  const end = copyBytes - checksumBytes;
  bytes.writeBigUInt64LE(Bun.hash.xxHash3(bytes.subarray(0, end)), end);
  bytes.copy(bytes, copyBytes, 0, copyBytes);
  return bytes;
}

/** What the bytes say. Throws where neither copy is whole and where they are no list of the earlier format either. */
export function decodeRevocations(bytes: Uint8Array): FoundRevocations {
  const half = Math.floor(bytes.byteLength / 2);
  const payload = payloadAt(bytes) ?? payloadAt(bytes.subarray(half));
  if (payload === undefined) return { expiries: parseMap(bytes), state: "unchecked" };
  const isWhole = Buffer.compare(bytes.subarray(0, half), bytes.subarray(half)) === 0;
  return { expiries: parseList(payload), state: isWhole ? "whole" : "corrected" };
}

/** Of the copy at the start of `bytes`; undefined: it is damaged. */
function payloadAt(bytes: Uint8Array): Uint8Array | undefined {
  const room = bytes.byteLength - headBytes - checksumBytes;
  if (room < 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== magic || view.getUint32(formatAt, true) !== format) return undefined;
  const payloadLength = view.getBigUint64(payloadLengthAt, true);
  if (payloadLength > BigInt(room)) return undefined;
  const end = headBytes + Number(payloadLength);
  if (view.getBigUint64(end, true) !== Bun.hash.xxHash3(bytes.subarray(0, end))) return undefined;
  return bytes.subarray(headBytes, end);
}

function parseList(payload: Uint8Array): Map<string, number> {
  const list: unknown = decode(payload);
  if (!Array.isArray(list)) throw new TypeError("not a list");
  return new Map(
    list.map((entry: unknown) => {
      if (!Array.isArray(entry) || typeof entry[0] !== "string") throw new TypeError("an id is not a text");
      return [entry[0], secondsOf(entry[1])];
    }),
  );
}

/** The format of version 0.1.0 and of the original, whose file may be empty too. */
function parseMap(bytes: Uint8Array): Map<string, number> {
  if (bytes.byteLength === 0) return new Map();
  const map: unknown = decode(bytes);
  if (typeof map !== "object" || map === null || Array.isArray(map)) throw new TypeError("not a map");
  return new Map(Object.entries(map).map(([tokenId, seconds]) => [tokenId, secondsOf(seconds)]));
}

function secondsOf(value: unknown): number {
  if (typeof value !== "number") throw new TypeError("an expiry is not a number");
  return value;
}
