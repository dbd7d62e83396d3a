// Values as the original's `-l list` writes them, for scripts that read it.

import { u64Max } from "../../protocol/limits.ts";
import { sizeWords } from "./words.ts";

/** UTC, to the second. */
export function utcText(micros: bigint): string {
  return new Date(Number(micros / 1000n)).toISOString().slice(0, 19).replace("T", " ");
}

const units: readonly (readonly [micros: bigint, one: string, many: string])[] = [
  [31_557_600_000_000n, "year", "years"],
  [2_630_016_000_000n, "month", "months"],
  [86_400_000_000n, "day", "days"],
  [3_600_000_000n, "h", "h"],
  [60_000_000n, "m", "m"],
  [1_000_000n, "s", "s"],
  [1_000n, "ms", "ms"],
  [1n, "us", "us"],
];

/** `7days`, `1h 30m`. */
function timeText(micros: bigint): string {
  const parts: string[] = [];
  let left = micros;
  for (const [unitMicros, one, many] of units) {
    const count = left / unitMicros;
    left %= unitMicros;
    if (count > 0n) parts.push(`${count}${count === 1n ? one : many}`);
  }
  return parts.length === 0 ? "0s" : parts.join(" ");
}

export function expiryWord(micros: bigint): string {
  if (micros === u64Max) return "unlimited";
  return micros === 0n ? "server_default" : timeText(micros);
}

export function maxSizeWord(bytes: bigint): string {
  if (bytes === u64Max) return "unlimited";
  return bytes === 0n ? "server_default" : sizeWords(bytes);
}
