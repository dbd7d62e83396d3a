// XXH3, 64-bit variant, seed 0, default secret (spec BP 3.10), for every length.
//
// Up to 240 bytes the function is scalar: 64 × 64 → 128 bit products, which WebAssembly has to put together from 32-bit
// halves. Longer input is eaten in stripes of 64 bytes by eight 64-bit accumulators (four vectors); only 32 × 32 → 64
// bit products are needed there, and SIMD has those. A block is 16 stripes, each with the secret moved on by 8 bytes;
// after a block the accumulators are scrambled.

import { secretPosition } from "./secret";

const prime32x1: u64 = 0x9e3779b1;
const prime32x2: u64 = 0x85ebca77;
const prime32x3: u64 = 0xc2b2ae3d;
const prime64x1: u64 = 0x9e3779b185ebca87;
const prime64x2: u64 = 0xc2b2ae3d27d4eb4f;
const prime64x3: u64 = 0x165667b19e3779f9;
const prime64x4: u64 = 0x85ebca77c2b2ae63;
const prime64x5: u64 = 0x27d4eb2f165667c5;
const primeMix1: u64 = 0x165667919e3779f9;
const primeMix2: u64 = 0x9fb21c651e98df25;

export const stripeBytes: u32 = 64;

/** The hash of `sizeBytes` bytes at `position`. Reads those bytes and the secret, nothing else. */
export function xxh3(position: usize, sizeBytes: u32): u64 {
  if (sizeBytes > 240) return hashLong(position, sizeBytes);
  if (sizeBytes > 128) return hash129to240(position, sizeBytes);
  if (sizeBytes > 16) return hash17to128(position, sizeBytes);
  return hash0to16(position, sizeBytes);
}

function hash0to16(position: usize, sizeBytes: u32): u64 {
  const length: u64 = sizeBytes;
  if (sizeBytes > 8) {
    const low = load<u64>(position) ^ secret64(24) ^ secret64(32);
    const high = load<u64>(position + sizeBytes - 8) ^ secret64(40) ^ secret64(48);
    return avalanche(length + bswap<u64>(low) + high + foldedProduct(low, high));
  }
  if (sizeBytes >= 4) {
    const first: u64 = load<u32>(position);
    const last: u64 = load<u32>(position + sizeBytes - 4);
    let hash = (last + (first << 32)) ^ secret64(8) ^ secret64(16);
    hash ^= rotl<u64>(hash, 49) ^ rotl<u64>(hash, 24);
    hash *= primeMix2;
    hash ^= (hash >> 35) + length;
    hash *= primeMix2;
    return hash ^ (hash >> 28);
  }
  if (sizeBytes > 0) {
    const first: u64 = load<u8>(position);
    const middle: u64 = load<u8>(position + (sizeBytes >> 1));
    const last: u64 = load<u8>(position + sizeBytes - 1);
    const combined = (first << 16) | (middle << 24) | last | (length << 8);
    const flip: u64 = load<u32>(secretPosition) ^ load<u32>(secretPosition + 4);
    return finalMix(combined ^ flip);
  }
  return finalMix(secret64(56) ^ secret64(64));
}

function hash17to128(position: usize, sizeBytes: u32): u64 {
  const end = position + sizeBytes;
  let sum: u64 = <u64>sizeBytes * prime64x1;
  if (sizeBytes > 32) {
    if (sizeBytes > 64) {
      if (sizeBytes > 96) sum += mix16(position + 48, 96) + mix16(end - 64, 112);
      sum += mix16(position + 32, 64) + mix16(end - 48, 80);
    }
    sum += mix16(position + 16, 32) + mix16(end - 32, 48);
  }
  return avalanche(sum + mix16(position, 0) + mix16(end - 16, 16));
}

function hash129to240(position: usize, sizeBytes: u32): u64 {
  let sum: u64 = <u64>sizeBytes * prime64x1;
  for (let i: usize = 0; i < 128; i += 16) sum += mix16(position + i, i);
  sum = avalanche(sum);
  const wholeBytes: usize = sizeBytes & ~15;
  for (let i: usize = 128; i < wholeBytes; i += 16) sum += mix16(position + i, i - 128 + 3);
  return avalanche(sum + mix16(position + sizeBytes - 16, 119));
}

function hashLong(position: usize, sizeBytes: u32): u64 {
  let a = start0();
  let b = start1();
  let c = start2();
  let d = start3();
  let stripesLeft = (sizeBytes - 1) / stripeBytes;
  let at = position;
  let key: usize = secretPosition;
  while (stripesLeft != 0) {
    a = accumulate(a, at, key, 0);
    b = accumulate(b, at, key, 16);
    c = accumulate(c, at, key, 32);
    d = accumulate(d, at, key, 48);
    at += stripeBytes;
    key += 8;
    stripesLeft--;
    if (key == secretPosition + 128) {
      a = scramble(a, 128);
      b = scramble(b, 144);
      c = scramble(c, 160);
      d = scramble(d, 176);
      key = secretPosition;
    }
  }
  return finishLong(a, b, c, d, position + sizeBytes - stripeBytes, sizeBytes);
}

/** The last 64 bytes once more, then the accumulators become the hash. */
// @ts-ignore: decorator
@inline
export function finishLong(a: v128, b: v128, c: v128, d: v128, lastStripe: usize, sizeBytes: u64): u64 {
  const key = secretPosition + 121;
  let hash: u64 = sizeBytes * prime64x1;
  hash += mergePair(accumulate(a, lastStripe, key, 0), 11);
  hash += mergePair(accumulate(b, lastStripe, key, 16), 27);
  hash += mergePair(accumulate(c, lastStripe, key, 32), 43);
  hash += mergePair(accumulate(d, lastStripe, key, 48), 59);
  return avalanche(hash);
}

// What the four vectors hold before the first stripe. Functions: a constant of this type would need a start function.
// @ts-ignore: decorator
@inline
export function start0(): v128 {
  return i64x2(prime32x3, prime64x1);
}

// @ts-ignore: decorator
@inline
export function start1(): v128 {
  return i64x2(prime64x2, prime64x3);
}

// @ts-ignore: decorator
@inline
export function start2(): v128 {
  return i64x2(prime64x4, prime32x2);
}

// @ts-ignore: decorator
@inline
export function start3(): v128 {
  return i64x2(prime64x5, prime32x1);
}

/** One vector of a stripe: the data goes to the neighbouring lane, the product of its keyed halves to its own lane. */
// @ts-ignore: decorator
@inline
export function accumulate(sum: v128, data: usize, key: usize, lane: usize): v128 {
  return accumulateValue(sum, v128.load(data + lane), key, lane);
}

/** The same for a vector that has been loaded. */
// @ts-ignore: decorator
@inline
export function accumulateValue(sum: v128, value: v128, key: usize, lane: usize): v128 {
  const keyed = v128.xor(value, v128.load(key + lane));
  const low = v128.shuffle<u32>(keyed, keyed, 0, 2, 0, 2);
  const high = v128.shuffle<u32>(keyed, keyed, 1, 3, 1, 3);
  const swapped = v128.shuffle<u64>(value, value, 1, 0);
  return i64x2.add(i64x2.add(sum, swapped), i64x2.extmul_low_i32x4_u(low, high));
}

// @ts-ignore: decorator
@inline
export function scramble(sum: v128, key: usize): v128 {
  const mixed = v128.xor(v128.xor(sum, i64x2.shr_u(sum, 47)), v128.load(secretPosition + key));
  return i64x2.mul(mixed, i64x2.splat(prime32x1));
}

// @ts-ignore: decorator
@inline
function mergePair(sum: v128, key: usize): u64 {
  return foldedProduct(i64x2.extract_lane(sum, 0) ^ secret64(key), i64x2.extract_lane(sum, 1) ^ secret64(key + 8));
}

// @ts-ignore: decorator
@inline
function mix16(position: usize, key: usize): u64 {
  return foldedProduct(load<u64>(position) ^ secret64(key), load<u64>(position + 8) ^ secret64(key + 8));
}

/** The two halves of the 128-bit product, xor-ed. No partial sum below can leave 64 bits. */
// @ts-ignore: decorator
@inline
function foldedProduct(left: u64, right: u64): u64 {
  const leftLow = left & 0xffffffff;
  const leftHigh = left >> 32;
  const rightLow = right & 0xffffffff;
  const rightHigh = right >> 32;
  const lowLow = leftLow * rightLow;
  const middle = leftHigh * rightLow + (lowLow >> 32);
  const cross = leftLow * rightHigh + (middle & 0xffffffff);
  const high = leftHigh * rightHigh + (middle >> 32) + (cross >> 32);
  return high ^ (left * right);
}

// @ts-ignore: decorator
@inline
function avalanche(value: u64): u64 {
  let hash = value ^ (value >> 37);
  hash *= primeMix1;
  return hash ^ (hash >> 32);
}

/** The mixer of the older XXH64, which XXH3 uses for the shortest inputs. */
// @ts-ignore: decorator
@inline
function finalMix(value: u64): u64 {
  let hash = value ^ (value >> 33);
  hash *= prime64x2;
  hash ^= hash >> 29;
  hash *= prime64x3;
  return hash ^ (hash >> 32);
}

// @ts-ignore: decorator
@inline
function secret64(key: usize): u64 {
  return load<u64>(secretPosition + key);
}
