// How long a topic keeps messages and how large it may become: as a person chooses it, and as the broker takes it, where the largest
// u64 is no limit (spec BP 3.13); and what they would remove. Pure.

export const unlimited = 2n ** 64n - 1n;
/** What the broker takes for "as the server has it". */
export const serverDefault = 0n;

export const timeUnits = {
  minutes: 60_000_000n,
  hours: 3_600_000_000n,
  days: 86_400_000_000n,
} as const;
/** What people think in, where no limit says another one. */
const usualUnits: readonly string[] = ["days", "GB"];
export const sizeUnits = { MB: 1024n ** 2n, GB: 1024n ** 3n, TB: 1024n ** 4n } as const;

export type Units = Readonly<Record<string, bigint>>;

/** `amount`: as written; `unit`: one of the units. */
export type Choice = {
  readonly kind: "default" | "limit" | "none";
  readonly amount: string;
  readonly unit: string;
};

/** A limit in the largest unit that shows it whole; in the smallest, rounded up, if none does. */
export function choiceOf(value: bigint, units: Units): Choice {
  const entries = Object.entries(units).toSorted(([, left], [, right]) => (left < right ? 1 : -1));
  const usual = usualUnits.find((name) => name in units) ?? "";
  if (value === serverDefault) return { kind: "default", amount: "", unit: usual };
  if (value === unlimited) return { kind: "none", amount: "", unit: usual };
  const whole = entries.find(([, unit]) => value % unit === 0n);
  const [unit, micros] = whole ?? entries.at(-1)!;
  return { kind: "limit", amount: String((value + micros - 1n) / micros), unit };
}

/** Undefined: what is written is no whole number above zero, or too large. */
export function limitOf({ kind, amount, unit }: Choice, units: Units): bigint | undefined {
  if (kind === "default") return serverDefault;
  if (kind === "none") return unlimited;
  const digits = amount.replace(/[\s,_']/g, "");
  const factor = units[unit];
  if (!/^\d{1,19}$/.test(digits) || factor === undefined) return undefined;
  const value = BigInt(digits) * factor;
  return value > 0n && value < unlimited ? value : undefined;
}

/** Of a partition, oldest first. */
export type Segment = {
  readonly messages: bigint;
  readonly bytes: bigint;
  /** Of its newest message; undefined: it has none. */
  readonly lastMicros: bigint | undefined;
  /** It is full: only such ones are ever removed. */
  readonly isSealed: boolean;
};

export type Removed = { readonly segments: number; readonly messages: bigint; readonly bytes: bigint };

/** What the cleaner would remove, if no consumer needs it any more. */
export type Forecast = {
  readonly expired: Removed;
  /** For the size of the topic, besides. */
  readonly surplus: Removed;
  /** When the next full segment is too old; undefined: there is none. */
  readonly nextMicros: bigint | undefined;
};

/** With more of them it would take too many questions to know. */
export const forecastPartitionsMax = 32;

/**
 * As the cleaner does it (spec SB 5.1): of each partition the oldest full segments as long as their newest message is too old, then the
 * oldest full ones of all until the topic is small enough. Limits as the broker takes them, without "as the server has it".
 */
export function foresee(
  partitions: readonly (readonly Segment[])[],
  limits: { readonly nowMicros: bigint; readonly expiry: bigint; readonly limit: bigint; readonly sizeBytes: bigint },
): Forecast {
  const { nowMicros, expiry, limit, sizeBytes } = limits;
  const expired: Segment[] = [];
  const rests = partitions.map((segments) => {
    const firstOpen = segments.findIndex(({ isSealed }) => !isSealed);
    const sealed = firstOpen === -1 ? segments : segments.slice(0, firstOpen);
    const isOld = ({ lastMicros }: Segment) => expiry !== unlimited && (lastMicros ?? 0n) + expiry <= nowMicros;
    const firstYoung = sealed.findIndex((segment) => !isOld(segment));
    const count = firstYoung === -1 ? sealed.length : firstYoung;
    expired.push(...sealed.slice(0, count));
    return sealed.slice(count);
  });
  const heads = rests.flatMap(([head]) => (head?.lastMicros === undefined ? [] : [head.lastMicros]));
  const oldest = heads.reduce<bigint | undefined>(
    (least, micros) => (least === undefined || micros < least ? micros : least),
    undefined,
  );
  const surplus: Segment[] = [];
  let rest = sizeBytes - removedOf(expired).bytes;
  while (rest > limit) {
    const queue = rests
      .filter(({ length }) => length > 0)
      .reduce<Segment[] | undefined>(
        (best, one) => (best === undefined || (one[0]!.lastMicros ?? 0n) < (best[0]!.lastMicros ?? 0n) ? one : best),
        undefined,
      );
    const next = queue?.shift();
    if (next === undefined) break;
    surplus.push(next);
    rest -= next.bytes;
  }
  return {
    expired: removedOf(expired),
    surplus: removedOf(surplus),
    nextMicros: expiry === unlimited || oldest === undefined ? undefined : oldest + expiry,
  };
}

function removedOf(segments: readonly Segment[]): Removed {
  return {
    segments: segments.length,
    messages: segments.reduce((sum, { messages }) => sum + messages, 0n),
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0n),
  };
}
