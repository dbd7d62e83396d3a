// Offsets and times are u64 on the wire and numbers inside: exact up to 2^53, which no partition and no clock reaches.
const safeMax = BigInt(Number.MAX_SAFE_INTEGER);

/** The number, or the largest exact one: a comparison with a real offset or time comes out the same. */
export function toSafeNumber(value: bigint): number {
  return value > safeMax ? Number.MAX_SAFE_INTEGER : Number(value);
}
