// What the console asks over HTTP about groups and the parts of a topic. Lags come over the live socket.
import type {
  GroupPlace,
  Groups,
  MovedOffsets,
  MoveOffsets,
  PartitionSegments,
  TopicOffsets,
  TopicPartitions,
} from "../protocol/console/groups.ts";
import type { HistoryReply } from "../protocol/console/history.ts";
import { ask } from "./console-request.ts";

/** Groups with a text in the name of stream, topic or group, the furthest behind first. Rejects with a ConsoleError. */
export function findGroups(q: string, limit: number): Promise<Groups> {
  return ask<Groups>("GET", pathOf("groups", { sort: "lag", q, limit }));
}

/** Whose offsets are stored in a topic, behind `after` (`next` of the answer before). Rejects with a ConsoleError. */
export function topicOffsets(stream: string, topic: string, after?: string): Promise<TopicOffsets> {
  return ask<TopicOffsets>("GET", pathOf("offsets", { stream, topic, after }));
}

/** Where a group is to go on reading, or only what that would change. Rejects with a ConsoleError: 409 where it is refused. */
export function moveOffsets(request: MoveOffsets): Promise<MovedOffsets> {
  return ask<MovedOffsets>("PUT", "group-offsets", request);
}

/** Partitions of a topic from `after` on. Rejects with a ConsoleError. */
export function topicPartitions(stream: string, topic: string, after?: number): Promise<TopicPartitions> {
  return ask<TopicPartitions>("GET", pathOf("partitions", { stream, topic, after }));
}

/** Segments of a partition behind `after` (`next` of the answer before), oldest first. Rejects with a ConsoleError. */
export function partitionSegments(
  stream: string,
  topic: string,
  partition: number,
  after?: string,
): Promise<PartitionSegments> {
  return ask<PartitionSegments>("GET", pathOf("segments", { stream, topic, partition, after }));
}

/** How far a group was behind, and how many members it had: series `lag` and `members` of the last day. Rejects with a ConsoleError. */
export function groupHistory({ stream, topic, group }: GroupPlace, points: number): Promise<HistoryReply> {
  return ask<HistoryReply>("GET", pathOf("group-history", { stream, topic, group, points }));
}

function pathOf(name: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  return `${name}?${new URLSearchParams(Object.fromEntries(given))}`;
}
