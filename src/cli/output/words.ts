// Numbers, sizes and times as people read them.

import { u64Max } from "../../protocol/limits.ts";

/** With commas: `1,204,331`. */
export function numberText(value: number | bigint): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 message`, `2 messages`; an irregular plural is given. */
export function countText(count: number | bigint, noun: string, plural = `${noun}s`): string {
  return `${numberText(count)} ${BigInt(count) === 1n ? noun : plural}`;
}

const sizeUnits = ["B", "KB", "MB", "GB", "TB", "PB", "EB"] as const;

/** Decimal, with two decimals from a kilobyte on, as in the original: `1.31 GB`. */
export function sizeWords(bytes: bigint): string {
  let unit = 0;
  let value = Number(bytes);
  // 999.995 and more would be written as 1000.00.
  while (value >= (unit === 0 ? 1000 : 999.995) && unit < sizeUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(2)} ${sizeUnits[unit]}`;
}

function two(value: number, digits = 2): string {
  return String(value).padStart(digits, "0");
}

/** Local time to the second: `2026-11-29 01:02:44`. */
export function timeText(micros: bigint): string {
  const time = new Date(Number(micros / 1000n));
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** Local time with microseconds. */
export function exactTimeText(micros: bigint): string {
  return `${timeText(micros)}.${two(Number(micros % 1_000_000n), 6)}`;
}

/** Hours and minutes, with the day if it is another one than that of `nowMicros`. */
export function clockText(micros: bigint, nowMicros: bigint): string {
  const text = timeText(micros);
  const [day = "", clock = ""] = [text.slice(0, 10), text.slice(11, 16)];
  return timeText(nowMicros).startsWith(day) ? clock : `${day} ${clock}`;
}

const units: readonly (readonly [micros: bigint, one: string, many: string])[] = [
  [86_400_000_000n, "day", "days"],
  [3_600_000_000n, "h", "h"],
  [60_000_000n, "min", "min"],
  [1_000_000n, "s", "s"],
  [1_000n, "ms", "ms"],
  [1n, "µs", "µs"],
];

/** The two largest units: `7 days`, `1 h 30 min`. */
export function durationText(micros: bigint): string {
  const parts: string[] = [];
  let left = micros;
  for (const [unitMicros, one, many] of units) {
    const count = left / unitMicros;
    left %= unitMicros;
    if (count > 0n) parts.push(`${numberText(count)} ${count === 1n ? one : many}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "0 s" : parts.join(" ");
}

/** How long messages of a topic are kept. */
export function expiryText(micros: bigint): string {
  if (micros === u64Max) return "for ever";
  return micros === 0n ? "server default" : durationText(micros);
}

/** How large a topic may become. */
export function maxSizeText(bytes: bigint): string {
  if (bytes === u64Max) return "unlimited";
  return bytes === 0n ? "server default" : sizeWords(bytes);
}
