// Which part of a topic is meant: `--from` and `--to` of tail and export.

import { UsageError } from "./usage-error.ts";
import { durationMicros, u64 } from "./values.ts";

/** A place in every partition that is read. */
export type Position =
  /** The oldest message that is there. */
  | { readonly kind: "first" }
  /** Behind the newest. */
  | { readonly kind: "new" }
  /** So many before the end, in each partition. */
  | { readonly kind: "last"; readonly count: bigint }
  | { readonly kind: "offset"; readonly offset: bigint }
  /** µs since the epoch, of the server's clock. */
  | { readonly kind: "time"; readonly micros: bigint };

export interface Range {
  readonly from: Position;
  /** The last message: an offset with it, a time without it; undefined: as far as there is something. */
  readonly to: Position | undefined;
}

/** How positions are written, for help texts. */
export const positionWords = "first, new, last:N, an offset, @TIME or -10m";

/** What `--from` and `--to` have; `@T1:T2` is both. */
export type GivenPosition = Position | (Range & { readonly kind: "range" });

/** Reads a position. `nowMicros`: what `-10m` counts from. */
export function positionAt(nowMicros: () => bigint): (given: string) => GivenPosition {
  return (given) => {
    if (given === "first" || given === "new") return { kind: given };
    if (given.startsWith("last:")) return { kind: "last", count: u64(given.slice(5)) };
    if (given.startsWith("-")) return { kind: "time", micros: before(nowMicros(), given.slice(1)) };
    if (given.startsWith("@")) return timeOrRange(given.slice(1), nowMicros);
    if (/^\d+$/.test(given)) return { kind: "offset", offset: u64(given) };
    throw new UsageError(`is not a position: ${positionWords}`);
  };
}

export const position = positionAt(() => BigInt(Date.now()) * 1000n);

function before(nowMicros: bigint, duration: string): bigint {
  const micros = nowMicros - durationMicros(duration);
  return micros < 0n ? 0n : micros;
}

/** A time has colons of its own: the one between two times stands before the beginning of another. */
function timeOrRange(given: string, nowMicros: () => bigint): GivenPosition {
  const [, first, second] = /^(.+?):(@?(?:\d{4}-|\d{10,}$|-).*)$/.exec(given) ?? [];
  if (first === undefined || second === undefined) return { kind: "time", micros: timeMicros(given, nowMicros) };
  return {
    kind: "range",
    from: { kind: "time", micros: timeMicros(first, nowMicros) },
    to: { kind: "time", micros: timeMicros(second.replace(/^@/, ""), nowMicros) },
  };
}

/** A date or a time of ISO 8601 (local where it says no zone), seconds, ms or µs since the epoch, or a time ago. */
function timeMicros(given: string, nowMicros: () => bigint): bigint {
  if (given.startsWith("-")) return before(nowMicros(), given.slice(1));
  if (/^\d+$/.test(given)) {
    const value = u64(given);
    if (given.length <= 10) return value * 1_000_000n;
    return given.length <= 13 ? value * 1000n : value;
  }
  // A date alone is the beginning of the day here, and not, as the language has it, in UTC.
  const ms = Date.parse(/^\d{4}-\d\d-\d\d$/.test(given) ? `${given}T00:00` : given);
  if (Number.isNaN(ms)) throw new UsageError("has no time such as 2026-11-29, 2026-11-29T10:02Z or 1764410520");
  return BigInt(Math.trunc(ms)) * 1000n;
}

/** Both ends; UsageError where they do not fit together. `otherwise`: where nothing is said about the beginning. */
export function rangeOf(from: GivenPosition | undefined, to: GivenPosition | undefined, otherwise: Position): Range {
  if (from?.kind === "range") {
    if (to !== undefined) throw new UsageError("--from has both times, so --to has no place");
    return from;
  }
  if (to?.kind === "range" || to?.kind === "first" || to?.kind === "new" || to?.kind === "last") {
    throw new UsageError("--to takes an offset, @TIME or a time ago such as -10m");
  }
  return { from: from ?? otherwise, to };
}
