// XXH3 of an input that is longer than 240 bytes and never lies in one piece: the caller brings whole stripes of 64 bytes
// one after the other, and last the final stripe again. The state is in globals of the instance: one hash at a time.

import { secretPosition } from "./secret";
import { accumulate, finishLong, scramble, start0, start1, start2, start3, stripeBytes } from "./xxh3";

let sum0: v128 = i64x2(0, 0);
let sum1: v128 = i64x2(0, 0);
let sum2: v128 = i64x2(0, 0);
let sum3: v128 = i64x2(0, 0);
let key: usize = 0;

/** Begins a new input. */
export function beginStream(): void {
  sum0 = start0();
  sum1 = start1();
  sum2 = start2();
  sum3 = start3();
  key = secretPosition;
}

/** The next `count` stripes, which lie at `position`. All of them must end before the last byte of the input. */
export function addStripes(position: usize, count: u32): void {
  let at = position;
  for (let left = count; left != 0; left--) {
    sum0 = accumulate(sum0, at, key, 0);
    sum1 = accumulate(sum1, at, key, 16);
    sum2 = accumulate(sum2, at, key, 32);
    sum3 = accumulate(sum3, at, key, 48);
    at += stripeBytes;
    key += 8;
    if (key == secretPosition + 128) {
      sum0 = scramble(sum0, 128);
      sum1 = scramble(sum1, 144);
      sum2 = scramble(sum2, 160);
      sum3 = scramble(sum3, 176);
      key = secretPosition;
    }
  }
}

/** The hash. `lastStripe`: where the last 64 of the input's `sizeBytes` bytes lie; the stripes before are all added. */
export function endStream(lastStripe: usize, sizeBytes: u64): u64 {
  return finishLong(sum0, sum1, sum2, sum3, lastStripe, sizeBytes);
}
