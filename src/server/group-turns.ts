// Whose turn it is when a group polls without naming a partition: each member goes round its partitions with a counter of
// its own (spec SB 6.4). The partition polled last is kept by its id: its place in the list changes with every move, and an
// offset that is stored without a partition must not end up in another one. Plain data: it moves with the connection.
import type { GroupKey } from "../metadata/index.ts";

interface GroupTurn {
  /** Polls made without naming a partition. */
  readonly count: number;
  readonly lastPartitionId: number;
}

/** What a client has polled, by group. */
export type GroupTurns = Map<string, GroupTurn>;

function nameOf({ streamId, topicId, groupId }: GroupKey): string {
  return `${streamId}/${topicId}/${groupId}`;
}

/** The partition whose turn it is; undefined if there is none. The turn goes on, also if the poll finds nothing. */
export function takeTurn(turns: GroupTurns, key: GroupKey, partitions: readonly number[]): number | undefined {
  const name = nameOf(key);
  const count = turns.get(name)?.count ?? 0;
  const partitionId = partitions[count % partitions.length];
  if (partitionId !== undefined) turns.set(name, { count: (count + 1) >>> 0, lastPartitionId: partitionId });
  return partitionId;
}

/** A poll that names its partition: it takes no turn. */
export function notePolled(turns: GroupTurns, key: GroupKey, partitionId: number): void {
  const name = nameOf(key);
  turns.set(name, { count: turns.get(name)?.count ?? 0, lastPartitionId: partitionId });
}

/** The partition that was polled last, whoever it belongs to now; undefined before the first poll. */
export function lastPolled(turns: GroupTurns, key: GroupKey): number | undefined {
  return turns.get(nameOf(key))?.lastPartitionId;
}

/** A member that comes again begins anew. */
export function forgetTurns(turns: GroupTurns, key: GroupKey): void {
  turns.delete(nameOf(key));
}
