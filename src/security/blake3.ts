// BLAKE3 of up to 1 KiB, that is, of one chunk: personal access tokens are stored as this hash of their text (spec SB 7.5),
// and a data directory of the original holds it too. The runtime offers no BLAKE3. A chunk is a chain of 64-byte blocks;
// each is compressed into the chaining value of the next, and the last one gives the hash.

import { assert } from "../platform/assert.ts";

const chunkBytesMax = 1024;
const blockBytes = 64;
const hashBytes = 32;

const initial = Uint32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** The place from which each word of the message comes in the next round. */
const permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8] as const;
const roundsCount = 7;

const Flag = { chunkStart: 1, chunkEnd: 2, root: 8 } as const;

/** The 32-byte hash as 64 hex digits. `input` is a text, taken as UTF-8, or bytes; at most 1,024 bytes. */
export function blake3Hex(input: string | Uint8Array): string {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  assert(bytes.byteLength <= chunkBytesMax, "the input is at most one chunk", { sizeBytes: bytes.byteLength });
  const chaining = Uint32Array.from(initial);
  const lastStart = Math.max(0, Math.ceil(bytes.byteLength / blockBytes) - 1) * blockBytes;
  for (let start = 0; start <= lastStart; start += blockBytes) {
    const block = bytes.subarray(start, start + blockBytes);
    let flags = 0;
    if (start === 0) flags |= Flag.chunkStart;
    if (start === lastStart) flags |= Flag.chunkEnd | Flag.root;
    compress(chaining, block, flags);
  }
  const hash = new Uint8Array(hashBytes);
  const view = new DataView(hash.buffer);
  for (const [place, word] of chaining.entries()) view.setUint32(4 * place, word, true);
  return hash.toHex();
}

/** Replaces the chaining value by that behind `block`, which may be shorter than a block. */
function compress(chaining: Uint32Array, block: Uint8Array, flags: number): void {
  const state = new Uint32Array(16);
  state.set(chaining);
  state.set(initial.subarray(0, 4), 8);
  // Words 12 and 13 are the number of the chunk: 0 here.
  state[14] = block.byteLength;
  state[15] = flags;
  let message = wordsOf(block);
  for (let round = 0; round < roundsCount; round++) {
    mixRound(state, message);
    message = Uint32Array.from(permutation, (place) => message[place]!);
  }
  for (let place = 0; place < 8; place++) chaining[place] = state[place]! ^ state[place + 8]!;
}

/** Little-endian words of a block, filled up with zeros. */
function wordsOf(block: Uint8Array): Uint32Array {
  const padded = new Uint8Array(blockBytes);
  padded.set(block);
  const view = new DataView(padded.buffer);
  return Uint32Array.from({ length: 16 }, (_, place) => view.getUint32(4 * place, true));
}

/** The columns of the 4 × 4 state, then its diagonals. */
function mixRound(state: Uint32Array, message: Uint32Array): void {
  for (let column = 0; column < 4; column++) {
    mix(state, column, 4 + column, 8 + column, 12 + column, message[2 * column]!, message[2 * column + 1]!);
  }
  for (let diagonal = 0; diagonal < 4; diagonal++) {
    const b = 4 + ((diagonal + 1) % 4);
    const c = 8 + ((diagonal + 2) % 4);
    const d = 12 + ((diagonal + 3) % 4);
    mix(state, diagonal, b, c, d, message[8 + 2 * diagonal]!, message[9 + 2 * diagonal]!);
  }
}

function mix(state: Uint32Array, a: number, b: number, c: number, d: number, first: number, second: number): void {
  mixHalf(state, a, b, c, d, first, 16, 12);
  mixHalf(state, a, b, c, d, second, 8, 7);
}

function mixHalf(
  state: Uint32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  word: number,
  rotationD: number,
  rotationB: number,
): void {
  state[a] = state[a]! + state[b]! + word;
  state[d] = rotateRight(state[d]! ^ state[a]!, rotationD);
  state[c] = state[c]! + state[d]!;
  state[b] = rotateRight(state[b]! ^ state[c]!, rotationB);
}

function rotateRight(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
