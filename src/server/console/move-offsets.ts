// Moves what a consumer group has stored, so that it reads on from somewhere else, or only says what that would change. What is
// stored is the offset before the message that comes next; to begin with the first one, nothing is stored.
import type { MovedOffsets, MoveOffsets, MoveTarget, OffsetChange } from "../../protocol/console/groups.ts";
import { IggyError } from "../../protocol/errors.ts";
import { type GroupPartitionReport, partitionKeyOf } from "../../shard/index.ts";
import { auditedMove } from "../audit.ts";
import type { ServerContext } from "../context.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";
import { type FoundGroup, groupPartitions, membersOf, requireVisibleGroup } from "./lag.ts";

/** Why nothing was moved. */
export type RefusedMove = {
  /** `members`: there are some, and they may commit over it. `changed`: something else comes next by now than was expected. */
  readonly reason: "members" | "changed";
  readonly would: MovedOffsets;
};

/** The message that a group reads next in one partition, and what it is to become; undefined: nothing is stored. */
interface Move {
  readonly partitionId: number;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly firstOffset: number;
  readonly endOffset: number;
}

/**
 * Errors: 1009, 2010, 5000, 41 without the right to read the topic's groups and to poll; 3007 for a partition that there is not, or
 * whose files cannot be opened; InvalidOffset (4100) for a value that is none; those of the disk. Where one comes in the middle,
 * partitions before it are moved.
 */
export async function moveOffsets(
  context: ServerContext,
  session: Session,
  request: MoveOffsets,
): Promise<MovedOffsets | RefusedMove> {
  const audit = auditedMove(context, session, request);
  try {
    const found = requireVisibleGroup(context, session, request);
    const { stream, topic, group } = found;
    requireRight(context.shard, session, "pollMessages", stream.id, topic.id);
    const moves = await movesOf(context, found, request);
    const would = {
      applied: false,
      changes: moves.map(changeOf),
      members: await membersOf(context, session, group),
    };
    if (request.dryRun) return would;
    if (group.members.length > 0 && request.force !== true) return { reason: "members", would };
    if (!isExpected(would.changes, request.expected)) return { reason: "changed", would };
    for (const move of moves) await carryOut(context, found, move);
    audit.done();
    return { ...would, applied: true };
  } catch (error) {
    audit.refused(error);
    throw error;
  }
}

async function movesOf(context: ServerContext, found: FoundGroup, { partitions, to }: MoveOffsets): Promise<Move[]> {
  const { stream, topic } = found;
  const ids = to.kind === "each" ? Object.keys(to.values).map(Number) : partitions;
  const reports = await groupPartitions(context, found, 0, Number.POSITIVE_INFINITY);
  const byId = new Map(reports.map((report) => [report.partitionId, report]));
  const wanted = ids === undefined ? topic.partitions.map((_, id) => id) : [...new Set(ids)].sort((a, b) => a - b);
  const moves: Move[] = [];
  for (const partitionId of wanted) {
    const report = byId.get(partitionId);
    if (report === undefined) throw new IggyError("PartitionNotFound", [partitionId, topic.id, stream.id]);
    const { firstOffset, endOffset, storedOffset } = report;
    const next = Math.min(await nextOf(context, found, report, to), endOffset);
    moves.push({
      partitionId,
      from: storedOffset === undefined ? undefined : storedOffset + 1,
      to: next <= firstOffset ? undefined : next,
      firstOffset,
      endOffset,
    });
  }
  return moves;
}

/** The message that is to come next. */
async function nextOf(
  context: ServerContext,
  found: FoundGroup,
  { partitionId, endOffset }: GroupPartitionReport,
  to: MoveTarget,
): Promise<number> {
  switch (to.kind) {
    case "earliest":
      return 0;
    case "latest":
      return endOffset;
    case "offset":
      return readNumber(to.value);
    case "each":
      return readNumber(to.values[String(partitionId)] ?? "0");
    case "time":
      return (await offsetAt(context, found, partitionId, readNumber(to.value))) ?? endOffset;
    default:
      throw new IggyError("InvalidCommand");
  }
}

/** Of the first message that was stored then or later; undefined: there is none. */
async function offsetAt(
  { shard }: ServerContext,
  { stream, topic, group }: FoundGroup,
  partitionId: number,
  timestampMicros: number,
): Promise<number | undefined> {
  const read = await shard.read({
    partitionKey: partitionKeyOf(stream.id, topic.id, partitionId),
    from: { kind: "timestamp", timestampMicros },
    countMax: 1,
    consumer: { kind: "group", id: group.id },
    autoCommit: false,
  });
  try {
    return read.lastOffset < 0 ? undefined : read.lastOffset;
  } finally {
    read.release();
  }
}

/** Whether what comes next is what the asker has seen. */
function isExpected(changes: readonly OffsetChange[], expected: MoveOffsets["expected"]): boolean {
  if (expected === undefined) return true;
  return changes.every(({ partition, from }) => {
    const seen = expected[String(partition)];
    return seen === undefined || seen === from;
  });
}

async function carryOut({ shard }: ServerContext, { stream, topic, group }: FoundGroup, move: Move): Promise<void> {
  const { partitionId, from, to } = move;
  if (from === to) return;
  const place = {
    partitionKey: partitionKeyOf(stream.id, topic.id, partitionId),
    consumer: { kind: "group", id: group.id } as const,
  };
  if (to !== undefined) await shard.offset({ ...place, operation: "store", offset: to - 1 });
  else await shard.offset({ ...place, operation: "delete" });
}

function changeOf({ partitionId, from, to, firstOffset, endOffset }: Move): OffsetChange {
  return {
    partition: partitionId,
    from: from === undefined ? null : String(from),
    to: to === undefined ? null : String(to),
    first: String(firstOffset),
    end: String(endOffset),
  };
}

/** Offsets and times beyond what a partition can have are as good as the largest there is. */
function readNumber(text: string): number {
  if (!/^\d{1,20}$/.test(text)) throw new IggyError("InvalidOffset", [text]);
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}
