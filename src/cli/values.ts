// Values of the command line: identifiers, numbers, durations and sizes, in the forms that the original takes.

import { type Identifier, nameId, numericId } from "../protocol/identifier.ts";
import { u64Max } from "../protocol/limits.ts";
import { UsageError } from "./usage-error.ts";

const u32Max = 2 ** 32 - 1;

export function text(given: string): string {
  return given;
}

/** What is empty is a slip. */
export function nonEmpty(given: string): string {
  if (given === "") throw new UsageError("is empty");
  return given;
}

const nameBytesMax = 255;

/** What a stream, a topic or a group is called. */
export function entityName(given: string): string {
  if (Buffer.byteLength(given) > nameBytesMax) throw new UsageError(`is longer than ${nameBytesMax} bytes`);
  return nonEmpty(given);
}

/** `5` is a number, `name:5` is what is called 5, anything else is a name. */
export function identifier(given: string): Identifier {
  if (given.startsWith("name:") && given.length > 5) return nameId(entityName(given.slice(5)));
  if (/^\d+$/.test(given)) return numericId(integer(0, u32Max)(given));
  return nameId(entityName(given));
}

/** How `identifier` is written. */
export function identifierText({ kind, value }: Identifier): string {
  return kind === "string" && /^\d+$/.test(value) ? `name:${value}` : String(value);
}

/** A whole number in a range, both ends included. */
export function integer(min: number, max: number): (given: string) => number {
  return (given) => {
    const value = Number(given);
    if (!/^-?\d+$/.test(given) || value < min || value > max)
      throw new UsageError(`is not a whole number from ${min} to ${max}`);
    return value;
  };
}

export const partitionId = integer(0, u32Max);

/** Numbers of partitions with commas between them: `0,2`. */
export function partitionIds(given: string): readonly number[] {
  return given.split(",").map((part) => partitionId(part.trim()));
}

/** Of partitions and segments that are made or deleted at once, as in the original. */
export const itemsCount = integer(1, 100_000);

/** A whole number of 64 bits without a sign. */
export function u64(given: string): bigint {
  const value = /^\d{1,20}$/.test(given) ? BigInt(given) : -1n;
  if (value < 0n || value > u64Max) throw new UsageError("is not a whole number of 64 bits");
  return value;
}

const unitMicros: ReadonlyMap<string, bigint> = new Map(
  (
    [
      [1n, "us µs usec usecs micros microsecond microseconds"],
      [1_000n, "ms msec msecs millis millisecond milliseconds"],
      [1_000_000n, "s sec secs second seconds"],
      [60_000_000n, "m min mins minute minutes"],
      [3_600_000_000n, "h hr hrs hour hours"],
      [86_400_000_000n, "d day days"],
      [604_800_000_000n, "w wk wks week weeks"],
      [2_630_016_000_000n, "M month months"],
      [31_557_600_000_000n, "y yr yrs year years"],
    ] as const
  ).flatMap(([micros, names]) => names.split(" ").map((name) => [name, micros] as const)),
);

/** Microseconds of a text like `15days 2min 2s`, as the original's durations (a month is 30.44 days, a year 365.25). */
export function durationMicros(given: string): bigint {
  const pattern = /\s*(\d+)\s*([a-zµA-Z]+)/y;
  let sum = 0n;
  for (;;) {
    const match = pattern.exec(given);
    const micros = unitMicros.get(match?.[2] ?? "");
    if (match === null || micros === undefined)
      throw new UsageError("is not a duration such as 15days, 2min or 1h 30m");
    sum += BigInt(match[1] ?? "0") * micros;
    if (pattern.lastIndex === given.length) break;
  }
  if (sum >= u64Max) throw new UsageError("is too long a time");
  return sum;
}

/** How long messages are kept: microseconds, 0 for the server's default, 2^64 - 1 for ever. */
export function messageExpiry(given: string): bigint {
  if (given === "unlimited" || given === "none" || given === "never") return u64Max;
  if (given === "server_default" || given === "default") return 0n;
  return durationMicros(given);
}

/** When a token ends: microseconds from now on, 0 for never. */
export function tokenExpiry(given: string): bigint {
  return given === "none" || given === "unlimited" || given === "never" ? 0n : durationMicros(given);
}

const sizeUnits: ReadonlyMap<string, bigint> = new Map(
  ["", "K", "M", "G", "T", "P", "E"].flatMap((letter, index) => [
    [`${letter}B`, 1000n ** BigInt(index)],
    [`${letter}IB`, 1024n ** BigInt(index)],
    [letter, 1000n ** BigInt(index)],
  ]),
);

/** Bytes of a text like `15GB`, `1.5 GiB` or `4096`. */
export function sizeBytes(given: string): bigint {
  const match = /^(\d+)(?:\.(\d{1,6}))?\s*([a-zA-Z]*)$/.exec(given.trim());
  const unit = sizeUnits.get((match?.[3] ?? "?").toUpperCase());
  if (match === null || unit === undefined) throw new UsageError("is not a size such as 15GB, 512MiB or 4096");
  const [, whole = "0", decimals = ""] = match;
  const bytes = (BigInt(`${whole}${decimals.padEnd(6, "0")}`) * unit) / 1_000_000n;
  if (bytes >= u64Max) throw new UsageError("is too large");
  return bytes;
}

/** How large a topic may become: bytes, 0 for the server's default, 2^64 - 1 for any size. */
export function maxTopicSize(given: string): bigint {
  if (given === "unlimited" || given === "none") return u64Max;
  if (given === "server_default" || given === "default") return 0n;
  return sizeBytes(given);
}
