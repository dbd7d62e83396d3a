// The text forms of sizes, durations, expiries and topic size limits (spec SB 1.3). Parsing is exact: decimal text is
// worked out with integers, never with floating point. Every parser throws `UnitError`, whose message states the rule.

/** Text that does not follow the grammar. The message is the rule, fit to stand behind a key and its value. */
export class UnitError extends Error {
  override readonly name = "UnitError";
}

/** A size that no number holds exactly. */
export class SizeTooLargeError extends UnitError {}

/** Wire number of "never expires" (2^64 - 1). */
export const NEVER_EXPIRE = 2n ** 64n - 1n;
/** Wire number of "take the server's configured expiry". */
export const EXPIRY_SERVER_DEFAULT = 0n;
/** Wire number of "no topic size limit" (2^64 - 1). */
export const UNLIMITED_TOPIC_SIZE = 2n ** 64n - 1n;
/** Wire number of "take the server's configured topic size". */
export const TOPIC_SIZE_SERVER_DEFAULT = 0n;

/** An expiry is at most this many seconds (spec SB 1.3). */
const EXPIRY_SECONDS_MAX = 2n ** 32n - 1n;
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

const SIZE_PREFIXES = ["", "K", "M", "G", "T", "P"];
const SIZE_PATTERN = /^(\d+)(?:\.(\d+))?\s*(?:([kmgtp])(i)?)?(b)?$/i;
const SIZE_ZERO_WORDS = new Set(["0", "unlimited", "Unlimited", "none", "None"]);

/** Units from the largest down, so that the first exact one is the largest exact one. */
const SIZE_UNITS: readonly { name: string; sizeBytes: number }[] = SIZE_PREFIXES.flatMap((prefix, power) =>
  power === 0
    ? [{ name: "B", sizeBytes: 1 }]
    : [
        { name: `${prefix}B`, sizeBytes: 1000 ** power },
        { name: `${prefix}iB`, sizeBytes: 1024 ** power },
      ],
).sort((left, right) => right.sizeBytes - left.sizeBytes);

/**
 * Reads a byte size such as `2 MB`, `1.5 GiB` or `512`; the result is whole bytes, a fraction of a byte is rounded up.
 * A lower-case `b` counts bits. With `zeroWords`, the words `unlimited` and `none` are zero too (spec SB 1.3).
 */
export function parseByteSize(text: string, options: { zeroWords?: boolean } = {}): number {
  const trimmed = text.trim();
  if (options.zeroWords === true && SIZE_ZERO_WORDS.has(trimmed)) return 0;
  const match = SIZE_PATTERN.exec(trimmed);
  if (match === null)
    throw new UnitError("must be a size: a number of bytes, or one with a unit such as 2 MB or 1 GiB");
  const [, whole = "", fraction = "", prefix, binary, unit] = match;
  const power = prefix === undefined ? 0 : SIZE_PREFIXES.indexOf(prefix.toUpperCase());
  const factor = (binary === undefined ? 1000n : 1024n) ** BigInt(power);
  const divisor = 10n ** BigInt(fraction.length) * (unit === "b" ? 8n : 1n);
  const sizeBytes = (BigInt(whole + fraction) * factor + divisor - 1n) / divisor;
  if (sizeBytes > SAFE_MAX) throw new SizeTooLargeError("must be a size below 8 PiB");
  return Number(sizeBytes);
}

/** The size in the largest unit that is exact: `2 MB`, `1 GiB`, `1001 B`. */
export function formatByteSize(sizeBytes: number): string {
  if (sizeBytes === 0) return "0 B";
  const unit = SIZE_UNITS.find((candidate) => sizeBytes % candidate.sizeBytes === 0);
  if (unit === undefined) throw new RangeError(`not a whole number of bytes: ${sizeBytes}`);
  return `${sizeBytes / unit.sizeBytes} ${unit.name}`;
}

const NANOS_PER_SECOND = 1_000_000_000n;
const NANOS_PER_DAY = 86_400n * NANOS_PER_SECOND;
const DURATION_UNITS: readonly (readonly [words: string, nanos: bigint])[] = [
  ["ns nsec nanos", 1n],
  ["us usec µs μs micros", 1_000n],
  ["ms msec millis", 1_000_000n],
  ["s sec secs second seconds", NANOS_PER_SECOND],
  ["m min mins minute minutes", 60n * NANOS_PER_SECOND],
  ["h hr hrs hour hours", 3_600n * NANOS_PER_SECOND],
  ["d day days", NANOS_PER_DAY],
  ["w wk wks week weeks", 7n * NANOS_PER_DAY],
  ["M month months", (3_044n * NANOS_PER_DAY) / 100n],
  ["y yr yrs year years", (36_525n * NANOS_PER_DAY) / 100n],
];
const NANOS_BY_UNIT = new Map(
  DURATION_UNITS.flatMap(([words, nanos]) => words.split(" ").map((word) => [word, nanos])),
);
const DURATION_ZERO_WORDS = new Set(["0", "unlimited", "disabled", "none"]);
const DURATION_PART = /\s*(\d+)\s*([\p{L}]+)\s*/uy;

const DURATION_RULE = "must be a duration: numbers with units such as 500ms, 30s, 1 m or 2 days 4 hours";

/** Chained parts to nanoseconds; units are taken as written (`M` is a month, `m` a minute). */
function parseDurationNanos(text: string): bigint {
  if (text === "0") return 0n;
  let nanos = 0n;
  let position = 0;
  while (position < text.length) {
    DURATION_PART.lastIndex = position;
    const match = DURATION_PART.exec(text);
    const unitNanos = match?.[2] === undefined ? undefined : NANOS_BY_UNIT.get(match[2]);
    if (match?.[1] === undefined || unitNanos === undefined) throw new UnitError(DURATION_RULE);
    nanos += BigInt(match[1]) * unitNanos;
    position = DURATION_PART.lastIndex;
  }
  if (position === 0) throw new UnitError(DURATION_RULE);
  return nanos;
}

/**
 * Reads a duration such as `30s` or `2 days 4 hours`; whole microseconds, rounded down. Any case (`1M` is a minute);
 * `0`, `unlimited`, `disabled` and `none` are zero; a bare number other than 0 is an error (spec SB 1.3).
 */
export function parseDurationMicros(text: string): number {
  const lower = text.trim().toLowerCase();
  if (DURATION_ZERO_WORDS.has(lower)) return 0;
  const micros = parseDurationNanos(lower) / 1_000n;
  if (micros > SAFE_MAX) throw new UnitError("must be a duration below 285 years");
  return Number(micros);
}

const FORMAT_UNITS: readonly (readonly [one: string, many: string, micros: bigint])[] = [
  ["day", "days", 86_400_000_000n],
  ["h", "h", 3_600_000_000n],
  ["m", "m", 60_000_000n],
  ["s", "s", 1_000_000n],
  ["ms", "ms", 1_000n],
  ["us", "us", 1n],
];

/** The duration as chained parts, largest unit first: `1h 30m`, `7days`, `0s`. */
export function formatDurationMicros(micros: number | bigint): string {
  let rest = BigInt(micros);
  const parts: string[] = [];
  for (const [one, many, unitMicros] of FORMAT_UNITS) {
    const count = rest / unitMicros;
    rest %= unitMicros;
    if (count > 0n) parts.push(`${count}${count === 1n ? one : many}`);
  }
  return parts.length === 0 ? "0s" : parts.join(" ");
}

const NEVER_WORDS = new Set(["unlimited", "Unlimited", "none", "None", "never_expire"]);
const EXPIRY_DEFAULT_WORDS = new Set(["default", "Default", "server_default", "Server_default"]);

/**
 * Reads an expiry to its wire number: microseconds, `NEVER_EXPIRE` or `EXPIRY_SERVER_DEFAULT`. Case counts here: `1M`
 * is a month, unlike in a duration (spec SB 1.3; SB 13, trap 59). A zero age is the same wire number as the server default.
 */
export function parseExpiry(text: string): bigint {
  const trimmed = text.trim();
  if (NEVER_WORDS.has(trimmed)) return NEVER_EXPIRE;
  if (EXPIRY_DEFAULT_WORDS.has(trimmed)) return EXPIRY_SERVER_DEFAULT;
  const nanos = parseDurationNanos(trimmed);
  if (nanos / NANOS_PER_SECOND > EXPIRY_SECONDS_MAX) throw new UnitError("must be an age of at most 2^32 - 1 seconds");
  return nanos / 1_000n;
}

/** The text form of an expiry's wire number: `none`, `server_default` or a duration. */
export function formatExpiry(expiry: bigint): string {
  if (expiry === NEVER_EXPIRE) return "none";
  if (expiry === EXPIRY_SERVER_DEFAULT) return "server_default";
  return formatDurationMicros(expiry);
}

/**
 * Reads a topic size limit to its wire number: bytes, `UNLIMITED_TOPIC_SIZE` or `TOPIC_SIZE_SERVER_DEFAULT`. Only
 * lower-case `unlimited` lifts the limit; `none` parses to zero bytes and so means the server default (spec SB 1.3).
 */
export function parseMaxTopicSize(text: string): bigint {
  const trimmed = text.trim();
  if (trimmed === "unlimited") return UNLIMITED_TOPIC_SIZE;
  if (trimmed === "server_default") return TOPIC_SIZE_SERVER_DEFAULT;
  return BigInt(parseByteSize(trimmed, { zeroWords: true }));
}

/** The text form of a topic size limit's wire number; bytes must be below 2^53. */
export function formatMaxTopicSize(maxSize: bigint): string {
  if (maxSize === UNLIMITED_TOPIC_SIZE) return "unlimited";
  if (maxSize === TOPIC_SIZE_SERVER_DEFAULT) return "server_default";
  return formatByteSize(Number(maxSize));
}
