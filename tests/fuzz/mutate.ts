// Damage to bytes that were right: numbers at their limits, pieces twice, pieces missing, single bits.
import type { Random } from "../../src/platform/random.ts";

const extremes = [0, 1, 2, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

/** One to three changes of a copy of `original`. */
export function mutate(original: Uint8Array, random: Random): Uint8Array {
  let bytes = new Uint8Array(original); // `slice` of a buffer is no copy
  const below = (limit: number) => random.u32() % limit;
  for (let change = 1 + below(3); change > 0; change--) {
    if (bytes.byteLength === 0) return new Uint8Array(below(20)).fill(below(256));
    const at = below(bytes.byteLength);
    switch (below(6)) {
      case 0:
        bytes[at] = bytes[at]! ^ (1 << below(8));
        break;
      case 1:
        bytes[at] = extremes[below(6)]!;
        break;
      case 2:
        if (at + 4 <= bytes.byteLength)
          new DataView(bytes.buffer).setUint32(at, extremes[below(extremes.length)]!, true);
        break;
      case 3:
        bytes = bytes.slice(0, at);
        break;
      case 4: {
        const grown = new Uint8Array(bytes.byteLength + 1 + below(40));
        grown.fill(below(256));
        grown.set(bytes);
        bytes = grown;
        break;
      }
      default: {
        // A piece of it once more.
        const piece = bytes.slice(at, at + 1 + below(16));
        const grown = new Uint8Array(bytes.byteLength + piece.byteLength);
        grown.set(bytes.subarray(0, at));
        grown.set(piece, at);
        grown.set(bytes.subarray(at), at + piece.byteLength);
        bytes = grown;
      }
    }
  }
  return bytes;
}
