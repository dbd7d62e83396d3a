// Random message ids: xoshiro256++. Its state is in globals of the instance and not in the memory, because several
// instances on several threads may work over one memory. Ids must be unique, not secret.

let state0: u64 = 0;
let state1: u64 = 0;
let state2: u64 = 0;
let state3: u64 = 0;

/** Takes the state as eight 32-bit words, low word first. Not all of them may be 0. */
export function seed(
  low0: u32,
  high0: u32,
  low1: u32,
  high1: u32,
  low2: u32,
  high2: u32,
  low3: u32,
  high3: u32,
): void {
  state0 = (<u64>low0) | ((<u64>high0) << 32);
  state1 = (<u64>low1) | ((<u64>high1) << 32);
  state2 = (<u64>low2) | ((<u64>high2) << 32);
  state3 = (<u64>low3) | ((<u64>high3) << 32);
}

/**
 * Writes a version-4 UUID in text order (spec SB 4.2): byte 6 has the high nibble 4, byte 8 the two high bits 10. Byte 6
 * is bits 48 to 55 of the first little-endian word, byte 8 the low byte of the second.
 */
export function writeUuid(position: usize): void {
  store<u64>(position, (next() & 0xff0fffffffffffff) | 0x0040000000000000);
  store<u64>(position + 8, (next() & 0xffffffffffffff3f) | 0x80);
}

function next(): u64 {
  const result = rotl<u64>(state0 + state3, 23) + state0;
  const shifted = state1 << 17;
  state2 ^= state0;
  state3 ^= state1;
  state1 ^= state2;
  state0 ^= state3;
  state2 ^= shifted;
  state3 = rotl<u64>(state3, 45);
  return result;
}
