// Whose turn it is when a group polls without naming a partition: each member goes round its partitions with a counter of
// its own (spec SB 6.4). Plain data: it moves with the connection.
import type { GroupKey } from "../metadata/index.ts";

/** Polls that a client has made without naming a partition, by group. */
export type GroupTurns = Map<string, number>;

function nameOf({ streamId, topicId, groupId }: GroupKey): string {
  return `${streamId}/${topicId}/${groupId}`;
}

/** The partition whose turn it is; undefined if there is none. The turn goes on, also if the poll finds nothing. */
export function takeTurn(turns: GroupTurns, key: GroupKey, partitions: readonly number[]): number | undefined {
  if (partitions.length === 0) return undefined;
  const name = nameOf(key);
  const turn = turns.get(name) ?? 0;
  turns.set(name, (turn + 1) >>> 0);
  return partitions[turn % partitions.length];
}

/** The partition that was polled last; before the first poll, the one that will be; undefined if there is none. */
export function lastTurn(turns: GroupTurns, key: GroupKey, partitions: readonly number[]): number | undefined {
  if (partitions.length === 0) return undefined;
  return partitions[Math.max(0, (turns.get(nameOf(key)) ?? 0) - 1) % partitions.length];
}

/** A member that comes again begins anew. */
export function forgetTurns(turns: GroupTurns, key: GroupKey): void {
  turns.delete(nameOf(key));
}
