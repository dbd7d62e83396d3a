// The two messages of spec BP 4.5 as a record, byte for byte (spec P9 15.3), and as they stand in a poll reply of 0.8.

import type { StoredMessage } from "./records.ts";

const reserved = "00".repeat(204);
const userHeaders = "02010000006b0202000000763102010000006e0b0400000007000000";

/** The header as the producer sends it: partition, base offset and base timestamp 0. */
export const vectorSentHeader = `${"00".repeat(24)}81e479a09d37060087010000000000004fc6fe7a44e2e4d102000000${reserved}`;

/** The header as a poll gives it: partition 0, base offset 0, server timestamp 1,750,000,002,500,000. */
export const vectorPolledHeader = `${"00".repeat(16)}a08581a09d37060081e479a09d3706008701000000000000430860830cf9bbf902000000${reserved}`;

/** The two frames; the same in both directions. */
export const vectorFrames = [
  "def101fa321e478a3f2b1c4d5e6f4a7b8c9d0e1f2a3b4c5d00000000000000000000000005000000000000000000000068656c6c6f",
  `a73d3251ebbdb542000102030405060708090a0b0c0d0e0f01000000010000001c000000060000000000000000000000776f726c6421${userHeaders}`,
] as const;

/** The messages themselves. */
export const vectorMessages: readonly StoredMessage[] = [
  {
    id: littleEndian("3f2b1c4d5e6f4a7b8c9d0e1f2a3b4c5d"),
    offset: 0n,
    timestamp: 1_750_000_002_500_000n,
    originTimestamp: 1_750_000_002_000_001n,
    payload: new TextEncoder().encode("hello"),
    userHeaders: new Uint8Array(0),
  },
  {
    id: littleEndian("000102030405060708090a0b0c0d0e0f"),
    offset: 1n,
    timestamp: 1_750_000_002_500_000n,
    originTimestamp: 1_750_000_002_000_002n,
    payload: new TextEncoder().encode("world!"),
    userHeaders: Uint8Array.fromHex(userHeaders),
  },
];

function littleEndian(hex: string): bigint {
  return BigInt(`0x${Uint8Array.fromHex(hex).reverse().toHex()}`);
}
