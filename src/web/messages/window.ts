// Which messages a view shows, and where the views before and after it begin. Every partition has a cursor of its own; a view is
// the first messages behind all cursors, merged by the broker's time, so that each message is in one view and none is left out.
import type { PolledMessage, PollingStrategy } from "../../client/console-client.ts";
import type { Direction, Position } from "../app/address.ts";

export type ShownMessage = PolledMessage & { readonly partitionId: number };

/** Offsets from `from` to `to` that are not there any more: retention has removed them. */
export type Gap = { readonly partitionId: number; readonly from: bigint; readonly to: bigint };

export type MessageWindow = {
  /** In the order of the rows. */
  readonly messages: readonly ShownMessage[];
  readonly gaps: readonly Gap[];
  /** Where to go on; undefined: there is nothing more, or nothing more yet. */
  readonly older: Position | undefined;
  readonly newer: Position | undefined;
};

/** One poll without auto-commit: at most `count` messages of a partition. */
export type Poll = (partitionId: number, strategy: PollingStrategy, count: number) => Promise<readonly PolledMessage[]>;

/** Partitions of one view. */
export const partitionsMax = 32;
const microsPerMilli = 1000n;

type Read = {
  readonly partitionId: number;
  readonly messages: readonly PolledMessage[];
  readonly cursor: bigint | undefined;
};

/** Errors: those of the polls. */
export async function loadWindow(
  poll: Poll,
  partitionIds: readonly number[],
  from: Position,
  direction: Direction,
  count: number,
): Promise<MessageWindow> {
  const reads = await Promise.all(partitionIds.map((id) => readPartition(poll, id, from, direction, count)));
  const isOlder = direction === "older";
  const sign = isOlder ? -1n : 1n;
  const byTime = (left: ShownMessage, right: ShownMessage): number => {
    const difference = (left.timestampMicros - right.timestampMicros) * sign;
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    return left.partitionId - right.partitionId;
  };
  const messages = mergeSorted(
    reads.map(({ partitionId, messages }) => messages.map((message) => ({ ...message, partitionId }))),
    byTime,
  ).slice(0, count);
  const gaps = reads.flatMap(({ partitionId, messages: read, cursor }): Gap[] => {
    const first = read[0]?.offset;
    if (isOlder || cursor === undefined || first === undefined || first <= cursor) return [];
    return [{ partitionId, from: cursor, to: first - 1n }];
  });
  const { older, newer } = neighbours(reads, messages, direction);
  // Before the first message there is nothing, and behind the newest one there was not.
  return {
    messages,
    gaps,
    older: from.kind === "oldest" ? undefined : older,
    newer: from.kind === "newest" ? undefined : newer,
  };
}

/** Up to `count` messages behind the cursor of a partition, in the order of the rows. */
async function readPartition(
  poll: Poll,
  partitionId: number,
  from: Position,
  direction: Direction,
  count: number,
): Promise<Read> {
  const isOlder = direction === "older";
  const read = async (strategy: PollingStrategy, cursor?: bigint): Promise<Read> => {
    const messages = await poll(partitionId, strategy, count);
    return { partitionId, messages: isOlder ? messages.toReversed() : messages, cursor };
  };
  if (from.kind === "newest") {
    return isOlder ? await read({ kind: "last", value: 0n }) : { partitionId, messages: [], cursor: undefined };
  }
  if (from.kind === "oldest") {
    return isOlder ? { partitionId, messages: [], cursor: undefined } : await read({ kind: "first", value: 0n });
  }
  if (from.kind === "time") {
    const micros = BigInt(Date.parse(from.text)) * microsPerMilli;
    const strategy = { kind: "timestamp", value: micros } as const;
    if (!isOlder) return await read(strategy);
    const [first] = await poll(partitionId, strategy, 1);
    // Nothing is as late: then the newest are those before it.
    if (first === undefined) return await read({ kind: "last", value: 0n });
    return await readOlder(poll, partitionId, first.offset - 1n, count);
  }
  const cursor = from.kind === "offset" ? from.offset : from.offsets.find(([id]) => id === partitionId)?.[1];
  if (cursor === undefined) return { partitionId, messages: [], cursor };
  return isOlder
    ? await readOlder(poll, partitionId, cursor, count)
    : await read({ kind: "offset", value: cursor }, cursor);
}

/** The last messages up to `cursor`, newest first. */
async function readOlder(poll: Poll, partitionId: number, cursor: bigint, count: number): Promise<Read> {
  if (cursor < 0n) return { partitionId, messages: [], cursor };
  const first = cursor - BigInt(count) + 1n;
  const start = first < 0n ? 0n : first;
  const found = await poll(partitionId, { kind: "offset", value: start }, Number(cursor - start) + 1);
  return { partitionId, messages: found.filter(({ offset }) => offset <= cursor).toReversed(), cursor };
}

/** Where the views before and after begin: behind the last row of each partition, or where it was before. */
function neighbours(
  reads: readonly Read[],
  shown: readonly ShownMessage[],
  direction: Direction,
): Pick<MessageWindow, "older" | "newer"> {
  const ahead: [number, bigint][] = [];
  const behind: [number, bigint][] = [];
  const step = direction === "older" ? -1n : 1n;
  for (const { partitionId, messages, cursor } of reads) {
    const own = shown.filter((message) => message.partitionId === partitionId);
    const first = own[0]?.offset ?? messages[0]?.offset ?? cursor;
    const last = own.at(-1)?.offset;
    const next = last === undefined ? (messages[0]?.offset ?? cursor) : last + step;
    if (next !== undefined && next >= 0n) ahead.push([partitionId, next]);
    // Without a row nothing is skipped: what is behind the cursor on the other side is one step back.
    if (first !== undefined && first - step >= 0n) behind.push([partitionId, first - step]);
  }
  const isEmpty = shown.length === 0;
  const isSingle = reads.length === 1;
  const forward = isEmpty ? undefined : positionOf(ahead, isSingle);
  const backward = positionOf(behind, isSingle);
  return direction === "older" ? { older: forward, newer: backward } : { older: backward, newer: forward };
}

/** Undefined without an offset. A view of one partition needs no list. */
function positionOf(offsets: readonly (readonly [number, bigint])[], isSingle: boolean): Position | undefined {
  const [first] = offsets;
  if (first === undefined) return undefined;
  return isSingle ? { kind: "offset", offset: first[1] } : { kind: "each", offsets };
}

/** Of lists that keep an order of their own: a partition's messages are in the order of their offsets, whatever their times. */
function mergeSorted<T>(lists: readonly (readonly T[])[], compare: (left: T, right: T) => number): T[] {
  const positions = lists.map(() => 0);
  const merged: T[] = [];
  for (;;) {
    let best: number | undefined;
    for (let index = 0; index < lists.length; index++) {
      const candidate = lists[index]?.[positions[index]!];
      if (candidate === undefined) continue;
      const leader = best === undefined ? undefined : lists[best]?.[positions[best]!];
      if (leader === undefined || compare(candidate, leader) < 0) best = index;
    }
    if (best === undefined) return merged;
    merged.push(lists[best]![positions[best]!]!);
    positions[best]!++;
  }
}
