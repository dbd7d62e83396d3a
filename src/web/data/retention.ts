// How long a topic keeps messages and how large it may become: as a person chooses it, and as the broker takes it, where the largest
// u64 is no limit (spec BP 3.13).
import type { ConsoleBroker, TopicDetails } from "../../client/console-client.ts";

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

/** What a topic would lose with other limits. Messages go with their segments only, so these are the most that can. */
export type Loss = {
  /** Older than the limit. */
  readonly expired: bigint;
  /** Of the oldest message that there is; undefined: there is none. */
  readonly oldestMicros: bigint | undefined;
};

/** With more of them it would take too many reads to know. */
export const lossPartitionsMax = 32;

/** `beforeMicros`: what is older is counted. Errors: those of polls. */
export async function lossBefore(
  from: ConsoleBroker,
  streamId: number,
  topic: TopicDetails,
  beforeMicros: bigint,
): Promise<Loss> {
  const consumer = { kind: "consumer", id: { kind: "numeric", value: 0 } } as const;
  const first = async (partitionId: number, kind: "first" | "timestamp", value: bigint) => {
    const strategy = { kind, value } as const;
    const request = { stream: streamId, topic: topic.id, consumer, partitionId, strategy, count: 1 };
    return (await from.pollMessages(request)).messages[0];
  };
  const parts = await Promise.all(
    topic.partitions
      .filter(({ messagesCount }) => messagesCount > 0n)
      .map(async ({ id, currentOffset }) => {
        const [oldest, kept] = await Promise.all([
          first(id, "first", 0n),
          first(id, "timestamp", beforeMicros > 0n ? beforeMicros : 0n),
        ]);
        if (oldest === undefined) return undefined;
        const end = kept?.offset ?? currentOffset + 1n;
        return { expired: end > oldest.offset ? end - oldest.offset : 0n, oldestMicros: oldest.timestampMicros };
      }),
  );
  const known = parts.filter((part) => part !== undefined);
  const times = known.map(({ oldestMicros }) => oldestMicros);
  return {
    expired: known.reduce((sum, { expired }) => sum + expired, 0n),
    oldestMicros: times.length === 0 ? undefined : times.reduce((least, time) => (time < least ? time : least)),
  };
}
