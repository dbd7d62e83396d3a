// XXH32 in plain JavaScript, for partition keys (spec BP 6.6) and consumers given by name (spec BP 3.3). A browser needs
// it, and on keys of a few bytes it costs less than a call out of JavaScript.

const prime1 = 0x9e3779b1;
const prime2 = 0x85ebca77;
const prime3 = 0xc2b2ae3d;
const prime4 = 0x27d4eb2f;
const prime5 = 0x165667b1;

/** Bytes that one round of the four accumulators takes. */
const stripeBytes = 16;

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function round(accumulator: number, lane: number): number {
  return Math.imul(rotateLeft((accumulator + Math.imul(lane, prime2)) | 0, 13), prime1);
}

/** XXH32 of `bytes` as an unsigned 32-bit number. */
export function xxHash32(bytes: Uint8Array, seed = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sizeBytes = bytes.length;
  let position = 0;
  let hash: number;

  if (sizeBytes >= stripeBytes) {
    let a = (seed + prime1 + prime2) | 0;
    let b = (seed + prime2) | 0;
    let c = seed | 0;
    let d = (seed - prime1) | 0;
    for (; position <= sizeBytes - stripeBytes; position += stripeBytes) {
      a = round(a, view.getUint32(position, true));
      b = round(b, view.getUint32(position + 4, true));
      c = round(c, view.getUint32(position + 8, true));
      d = round(d, view.getUint32(position + 12, true));
    }
    hash = (rotateLeft(a, 1) + rotateLeft(b, 7) + rotateLeft(c, 12) + rotateLeft(d, 18)) | 0;
  } else {
    hash = (seed + prime5) | 0;
  }

  hash = (hash + sizeBytes) | 0;
  for (; position <= sizeBytes - 4; position += 4) {
    hash = Math.imul(rotateLeft((hash + Math.imul(view.getUint32(position, true), prime3)) | 0, 17), prime4);
  }
  for (; position < sizeBytes; position++) {
    hash = Math.imul(rotateLeft((hash + Math.imul(view.getUint8(position), prime5)) | 0, 11), prime1);
  }

  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
