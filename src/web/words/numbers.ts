// Numbers, sizes and times as text. Integers stay exact: they come as BigInt and go to the formatter as such.

const integers = new Intl.NumberFormat("en");
const units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"] as const;
const microsPerMilli = 1000n;
/** Beyond it there is no date (ECMA-262, time values). */
const dateMillisMax = 8_640_000_000_000_000n;

export function count(value: bigint | number): string {
  return integers.format(value);
}

/** `1 topic`, `2 topics`: `noun` is the singular, of a word whose plural ends in s. */
export function counted(value: bigint | number, noun: string): string {
  return `${count(value)} ${BigInt(value) === 1n ? noun : `${noun}s`}`;
}

/** 1,024 bytes are a KB; three digits at most. */
export function size(bytes: bigint | number): string {
  let unit = 0;
  let scaled = BigInt(bytes);
  let rest = 0n;
  while (scaled >= 1024n && unit < units.length - 1) {
    rest = scaled % 1024n;
    scaled /= 1024n;
    unit++;
  }
  const whole = Number(scaled) + Number(rest) / 1024;
  const digits = unit === 0 || whole >= 99.95 ? 0 : 1;
  return `${digits === 0 ? integers.format(Math.round(whole)) : whole.toFixed(1)} ${units[unit]}`;
}

/** Every byte, for those who look closer. */
export function exactSize(bytes: bigint | number): string {
  return counted(bytes, "byte");
}

/** `2026-11-29 10:02:11.204`, in the time zone of the browser. */
export function localTime(micros: bigint): string {
  const date = dateOf(micros);
  if (date === undefined) return count(micros);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** `10:02:11` of a time in ms, in the time zone of the browser. */
export function clockTime(millis: number): string {
  return localTime(BigInt(Math.round(millis)) * microsPerMilli).slice(11, 19);
}

/** `11-29 10:02`, the same with its day. */
export function dayTime(millis: number): string {
  return localTime(BigInt(Math.round(millis)) * microsPerMilli).slice(5, 16);
}

/** To the microsecond, in UTC. */
export function utcTime(micros: bigint): string {
  const date = dateOf(micros);
  if (date === undefined) return `${micros} µs`;
  return date.toISOString().replace(/\.\d+Z$/, `.${String(micros % 1_000_000n).padStart(6, "0")}Z`);
}

/** `7 d`, `1 h 30 min`: whole units, the two largest. */
export function duration(micros: bigint): string {
  const parts: string[] = [];
  let rest = micros;
  for (const [name, unit] of [
    ["d", 86_400_000_000n],
    ["h", 3_600_000_000n],
    ["min", 60_000_000n],
    ["s", 1_000_000n],
    ["ms", 1_000n],
    ["µs", 1n],
  ] as const) {
    if (rest >= unit && parts.length < 2) parts.push(`${rest / unit} ${name}`);
    rest %= unit;
  }
  return parts.length === 0 ? "0 s" : parts.join(" ");
}

function dateOf(micros: bigint): Date | undefined {
  const millis = micros / microsPerMilli;
  return millis > dateMillisMax ? undefined : new Date(Number(millis));
}
