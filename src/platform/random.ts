import { randomFillSync } from "node:crypto";

/** Chance from outside, so that a simulation can be repeated from its seed. */
export interface Random {
  /** Fills every byte of `bytes`. */
  fill(bytes: Uint8Array): void;
  /** A whole number in 0 to 2^32-1. */
  u32(): number;
}

/** Cryptographically strong. */
export const systemRandom: Random = {
  fill(bytes) {
    randomFillSync(bytes);
  },
  u32() {
    return crypto.getRandomValues(new Uint32Array(1))[0]!;
  },
};

/** Repeatable, for tests and simulations only: equal seeds give equal sequences (splitmix32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  function u32(): number {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
  return {
    u32,
    fill(bytes) {
      for (let index = 0; index < bytes.byteLength; index++) bytes[index] = u32() & 0xff;
    },
  };
}
