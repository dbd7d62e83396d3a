// Why a consumer group is behind, and when it will have caught up: from what the broker says of it every two seconds. Pure; the
// sentences are in words/verdicts.ts. The first cause that fits is the verdict: one that needs somebody comes before one that time
// heals.
import type { GroupLag, LagMember, LagPartition } from "../../client/console-client.ts";

export type Verdict =
  /** The topic has no messages. */
  | { readonly code: "empty" }
  | { readonly code: "upToDate" }
  /** Something is stored that the partition does not have. */
  | { readonly code: "ahead"; readonly partition: number }
  | { readonly code: "noMembers" }
  /** There are members, and none of them has this partition. */
  | { readonly code: "uncovered"; readonly partition: number }
  /** It takes a few seconds to see what members do. */
  | { readonly code: "measuring" }
  /** Members were sent messages and have never committed one. */
  | { readonly code: "neverCommitted"; readonly partitions: number }
  /** Members were sent messages behind what is committed. */
  | { readonly code: "uncommitted"; readonly sent: bigint }
  /** Members are there and ask for nothing. */
  | { readonly code: "idle"; readonly committedAt: bigint | undefined }
  /** One partition stands still, others do not. */
  | {
      readonly code: "stuck";
      readonly partition: number;
      readonly member: LagMember | undefined;
      readonly committedAt: bigint | undefined;
      readonly isSent: boolean;
    }
  /** More comes than is read. */
  | { readonly code: "growing" }
  /** As much comes as is read, or nearly: `seconds` is longer than a day, or undefined. */
  | { readonly code: "slow"; readonly seconds: number | undefined }
  | { readonly code: "catchingUp"; readonly seconds: number };

export type Remark =
  /** Retention has removed messages that the group has not read. */
  | { readonly code: "lost"; readonly partition: number; readonly messages: bigint }
  /** One partition has most of what is not read. */
  | {
      readonly code: "skewed";
      readonly partition: number;
      readonly percent: number;
      readonly member: LagMember | undefined;
    };

export type Diagnosis = {
  readonly verdict: Verdict;
  readonly remarks: readonly Remark[];
  readonly lag: bigint;
  /** When the oldest message that is not read was stored; undefined: there is none. */
  readonly unreadSince: bigint | undefined;
  /** Messages a second that come and that are committed; undefined while that is not known. */
  readonly inRate: number | undefined;
  readonly outRate: number | undefined;
};

/** Rates are those of so long, and known from so long on. */
const windowMicros = 30_000_000n;
const settledMicros = 3_500_000n;
/** Who has committed so lately reads. */
const freshMicros = 10_000_000n;
/** Less between what comes and what is read is as good as nothing. */
const evenShare = 0.02;
const slowSeconds = 86_400;
/** A partition with more of the lag has most of it, where there is enough to tell. */
const skewPercent = 60;
const skewMessagesMin = 100n;

/** `samples`: oldest first; at least one. */
export function diagnose(samples: readonly GroupLag[]): Diagnosis {
  const last = samples.at(-1)!;
  const at = BigInt(last.at);
  const first = samples.find((sample) => at - BigInt(sample.at) <= windowMicros) ?? last;
  const elapsed = at - BigInt(first.at);
  const isSettled = elapsed >= settledMicros;
  const before = new Map(first.partitions.map((partition) => [partition.id, partition]));
  const lag = sum(last.partitions.map((partition) => BigInt(partition.lag)));
  const since = last.partitions.flatMap(({ unreadSince }) => (unreadSince === undefined ? [] : [BigInt(unreadSince)]));
  const rate = (count: (partition: LagPartition) => bigint) => {
    if (!isSettled) return undefined;
    const moved = sum(
      last.partitions.map((partition) => count(partition) - count(before.get(partition.id) ?? partition)),
    );
    return (Number(moved) * 1e6) / Number(elapsed);
  };
  const inRate = rate(({ end }) => BigInt(end));
  const outRate = rate(nextOf);
  const moved = (partition: LagPartition) => {
    const { committedAt } = partition;
    if (committedAt !== undefined && at - BigInt(committedAt) <= freshMicros) return true;
    return nextOf(partition) !== nextOf(before.get(partition.id) ?? partition);
  };
  return {
    verdict: verdictOf({ sample: last, at, lag, isSettled, inRate, outRate, moved }),
    remarks: remarksOf(last, lag),
    lag,
    unreadSince: since.length === 0 ? undefined : since.reduce((least, time) => (time < least ? time : least)),
    inRate,
    outRate,
  };
}

interface Facts {
  readonly sample: GroupLag;
  readonly at: bigint;
  readonly lag: bigint;
  readonly isSettled: boolean;
  readonly inRate: number | undefined;
  readonly outRate: number | undefined;
  /** Whether something was committed lately. */
  readonly moved: (partition: LagPartition) => boolean;
}

function verdictOf(facts: Facts): Verdict {
  const { sample, lag } = facts;
  const { members, partitions } = sample;
  const ahead = partitions.find(({ stored, end }) => stored !== undefined && BigInt(stored) >= BigInt(end));
  if (ahead !== undefined) return { code: "ahead", partition: ahead.id };
  if (partitions.every(({ first, end }) => first === end)) return { code: "empty" };
  if (lag === 0n) return { code: "upToDate" };
  if (members.length === 0) return { code: "noMembers" };
  const behind = partitions.filter((partition) => partition.lag !== "0");
  const uncovered = behind.find(({ id }) => memberOf(members, id) === undefined);
  if (uncovered !== undefined) return { code: "uncovered", partition: uncovered.id };
  const standing = behind.filter((partition) => !facts.moved(partition));
  if (standing.length < behind.length) return movingVerdict(facts, standing);
  // Who has committed shortly before the page was opened may be about to do it again.
  if (!facts.isSettled) return { code: "measuring" };
  return standingVerdict(behind);
}

/** Nothing is committed at all. */
function standingVerdict(behind: readonly LagPartition[]): Verdict {
  const sent = behind.filter(({ polled }) => polled !== undefined);
  if (sent.length > 0 && behind.every(({ stored }) => stored === undefined)) {
    return { code: "neverCommitted", partitions: sent.length };
  }
  if (sent.length > 0) {
    return {
      code: "uncommitted",
      sent: sum(sent.map((partition) => BigInt(partition.polled!) + 1n - nextOf(partition))),
    };
  }
  const times = behind.flatMap(({ committedAt }) => (committedAt === undefined ? [] : [BigInt(committedAt)]));
  return { code: "idle", committedAt: times.length === 0 ? undefined : times.reduce((a, b) => (a > b ? a : b)) };
}

/** Something is committed; `standing`: partitions in which nothing is. */
function movingVerdict({ sample, lag, isSettled, inRate, outRate }: Facts, standing: readonly LagPartition[]): Verdict {
  if (!isSettled || inRate === undefined || outRate === undefined) return { code: "measuring" };
  const [stuck] = standing.toSorted((left, right) => (BigInt(left.lag) < BigInt(right.lag) ? 1 : -1));
  if (stuck !== undefined) {
    return {
      code: "stuck",
      partition: stuck.id,
      member: memberOf(sample.members, stuck.id),
      committedAt: stuck.committedAt === undefined ? undefined : BigInt(stuck.committedAt),
      isSent: stuck.polled !== undefined,
    };
  }
  const gain = outRate - inRate;
  if (gain < -evenShare * inRate) return { code: "growing" };
  if (gain <= evenShare * inRate || gain <= 0) return { code: "slow", seconds: undefined };
  const seconds = Number(lag) / gain;
  return seconds > slowSeconds ? { code: "slow", seconds } : { code: "catchingUp", seconds };
}

function remarksOf({ members, partitions }: GroupLag, lag: bigint): readonly Remark[] {
  const remarks: Remark[] = [];
  for (const partition of partitions) {
    const messages = partition.stored === undefined ? 0n : BigInt(partition.first) - nextOf(partition);
    if (messages > 0n) remarks.push({ code: "lost", partition: partition.id, messages });
  }
  const [most] = partitions.toSorted((left, right) => (BigInt(left.lag) < BigInt(right.lag) ? 1 : -1));
  if (most !== undefined && partitions.length > 1 && lag >= skewMessagesMin) {
    const percent = Number((BigInt(most.lag) * 100n) / lag);
    if (percent > skewPercent) {
      remarks.push({ code: "skewed", partition: most.id, percent, member: memberOf(members, most.id) });
    }
  }
  return remarks;
}

/** The message that comes next for the group. */
function nextOf({ stored }: LagPartition): bigint {
  return stored === undefined ? 0n : BigInt(stored) + 1n;
}

/** The member that has a partition. */
export function memberOf(members: readonly LagMember[], partitionId: number): LagMember | undefined {
  return members.find(({ partitions }) => partitions.includes(partitionId));
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
