// What the form for moving a group says, as a request, and what its preview comes to. Pure.
import type { GroupPlace, MoveOffsets, MoveTarget, OffsetChange } from "../../client/console-client.ts";
import { readOffset } from "../app/address.ts";

export type MoveForm = {
  readonly kind: "earliest" | "latest" | "offset" | "time";
  /** An offset or a time, as it was written. */
  readonly value: string;
  /** `all`, or numbers and runs of them. */
  readonly partitions: string;
};

export type MoveProblem = "offset" | "time" | "partitions";

const microsPerMilli = 1000n;
const idMax = 1_000_000;

/** The request for a preview; a problem where the form means nothing. */
export function requestOf(place: GroupPlace, { kind, value, partitions }: MoveForm): MoveOffsets | MoveProblem {
  const ids = readPartitions(partitions);
  if (ids === undefined) return "partitions";
  const to = targetOf(kind, value);
  if (typeof to === "string") return to;
  return { ...place, to, dryRun: true, ...(ids === "all" ? {} : { partitions: ids }) };
}

function targetOf(kind: MoveForm["kind"], value: string): MoveTarget | MoveProblem {
  if (kind === "offset") {
    const offset = readOffset(value);
    return offset === undefined ? "offset" : { kind, value: String(offset) };
  }
  if (kind !== "time") return { kind };
  const millis = Date.parse(value.trim());
  if (Number.isNaN(millis) || millis < 0) return "time";
  return { kind, value: String(BigInt(millis) * microsPerMilli) };
}

/** `0, 2, 5-7` as numbers, each once; undefined for what is none. */
export function readPartitions(text: string): "all" | readonly number[] | undefined {
  if (/^\s*(?:all)?\s*$/i.test(text)) return "all";
  const ids = new Set<number>();
  for (const part of text.split(",")) {
    const [, from, to = from] = /^\s*(\d{1,7})\s*(?:-\s*(\d{1,7})\s*)?$/.exec(part) ?? [];
    if (from === undefined || Number(to) < Number(from) || Number(to) >= idMax) return undefined;
    for (let id = Number(from); id <= Number(to); id++) ids.add(id);
  }
  return [...ids].sort((left, right) => left - right);
}

export type Effect = {
  readonly before: bigint;
  readonly after: bigint;
  /** Messages that are read again, or never. */
  readonly again: bigint;
  readonly skipped: bigint;
};

/** Of one partition: which message comes next, and what that means. */
export function effectOf({ from, to, first, end }: OffsetChange): Effect {
  const start = BigInt(first);
  const [before, after] = [from, to].map((next) => (next === null ? start : BigInt(next))) as [bigint, bigint];
  // What retention has removed is neither read again nor skipped.
  const kept = (next: bigint) => (next < start ? start : next > BigInt(end) ? BigInt(end) : next);
  const distance = kept(after) - kept(before);
  return { before, after, again: distance < 0n ? -distance : 0n, skipped: distance > 0n ? distance : 0n };
}
