// What the history keeps of groups (group-history.ts): how far each was behind.
import type { ConsumerGroup } from "../../metadata/index.ts";
import type { History } from "../../observability/history.ts";
import type { GroupLag } from "../group-lags.ts";

const microsPerMilli = 1000;
/** Columns of a subject of the history, in their order; the third is not used. */
export const groupColumns = ["lag", "members"] as const;
/** A group without members that has committed so lately is still in use. */
const activeMicros = 3_600_000_000;
/** Of the id of a group's log: what a number holds exactly. */
const logIdDigits = 12;

/** A sample of each group; one that nobody uses is not remembered, and goes on where it was. */
export function noteGroups(history: History, lags: readonly GroupLag[], nowMicros: number): void {
  for (const { stream, topic, group, lag, storedAtMicros } of lags) {
    const isActive =
      group.members.length > 0 || (storedAtMicros !== undefined && nowMicros - storedAtMicros < activeMicros);
    const values = [lag, group.members.length, Number.NaN];
    history.addSubject(
      groupKey(stream.id, topic.id, group.id),
      sinceOf(group),
      nowMicros / microsPerMilli,
      values,
      isActive,
    );
  }
}

/** Under which the history keeps a group. */
export function groupKey(streamId: number, topicId: number, groupId: number): string {
  return `group.${streamId}/${topicId}/${groupId}`;
}

/** Tells a group from one that had its number before. */
export function sinceOf({ logId }: ConsumerGroup): number {
  return logId === undefined ? 0 : Number.parseInt(logId.slice(0, logIdDigits), 16);
}
