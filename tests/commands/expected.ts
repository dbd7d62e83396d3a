// What a reply should be, field by field. The type demands every field: a value, or a question about it where the value
// differs from run to run.

type Leaf = string | number | bigint | boolean | undefined | Uint8Array;
type Plain<T> = T extends Leaf
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Expected<Item>[]
    : { readonly [K in keyof T]: Expected<T[K]> };

export type Expected<T> = ((actual: T) => boolean) | Plain<T>;

/** Where `actual` is not as expected: one line for each place, none if all is well. */
export function differences<T>(actual: T, expected: Expected<T>): string[] {
  return compare(actual, expected, "reply");
}

function compare(actual: unknown, expected: unknown, place: string): string[] {
  if (typeof expected === "function") return expected(actual) ? [] : [`${place} is ${show(actual)}`];
  if (expected instanceof Uint8Array) {
    const isSame = actual instanceof Uint8Array && Buffer.from(actual).equals(expected);
    return isSame ? [] : [`${place} is ${show(actual)}, not ${show(expected)}`];
  }
  if (!isObject(expected) || !isObject(actual)) {
    return Object.is(actual, expected) ? [] : [`${place} is ${show(actual)}, not ${show(expected)}`];
  }
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...names].flatMap((name) => compare(actual[name], expected[name], `${place}.${name}`));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes ${value.subarray(0, 32).toHex()}`;
  if (typeof value === "bigint") return `${value}n`;
  return Bun.inspect(value, { depth: 4 });
}

const aMinuteMicros = 60_000_000n;

/** A time of the last minute, give or take a second. */
export function isRecent(timestampMicros: bigint): boolean {
  const ageMicros = BigInt(Date.now()) * 1000n - timestampMicros;
  return ageMicros > -1_000_000n && ageMicros < aMinuteMicros;
}

export function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

export function isPositive(value: number | bigint): boolean {
  return value > 0;
}

export function isText(value: string): boolean {
  return value.length > 0 && !value.startsWith("unknown");
}
