// What happened between two samples: rates for each topic and group, and the sums that the first lines show.

import type { Json } from "../output/documents.ts";
import { type GroupSample, nextOffsetOf, type Sample, type TopicSample } from "./sample.ts";

export interface GroupChanges extends GroupSample {
  readonly outPerSecond: number;
  readonly lag: bigint;
}

export interface TopicChanges extends Omit<TopicSample, "groups"> {
  readonly inPerSecond: number;
  readonly inBytesPerSecond: number;
  /** Messages that its groups have committed; two groups that read the same count twice. */
  readonly outPerSecond: number;
  readonly groups: readonly GroupChanges[];
  /** The group that is furthest behind; undefined without groups. */
  readonly worst: GroupChanges | undefined;
}

export interface Changes extends Omit<Sample, "topics"> {
  readonly seconds: number;
  readonly inPerSecond: number;
  readonly inBytesPerSecond: number;
  readonly outPerSecond: number;
  readonly lag: bigint;
  readonly topics: readonly TopicChanges[];
}

/** Rates from `before` to `now`. What is new, and what has become less (a purge, a topic made anew), counts as no change. */
export function changesOf(before: Sample, now: Sample): Changes {
  // A clock that stands still would divide by zero.
  const seconds = Math.max(now.takenAtMs - before.takenAtMs, 1) / 1000;
  const rate = (earlier: bigint | undefined, later: bigint) =>
    earlier === undefined || later < earlier ? 0 : Number(later - earlier) / seconds;
  const earlierTopics = new Map(before.topics.map((topic) => [keyOf(topic), topic]));
  const topics = now.topics.map((topic): TopicChanges => {
    const earlier = earlierTopics.get(keyOf(topic));
    const groups = topic.groups.map((group): GroupChanges => {
      const earlierGroup = earlier?.groups.find(({ id }) => id === group.id);
      return {
        ...group,
        outPerSecond: rate(earlierGroup && readOf(earlierGroup), readOf(group)),
        lag: group.partitions.reduce((sum, { lag }) => sum + lag, 0n),
      };
    });
    return {
      ...topic,
      inPerSecond: rate(earlier?.written, topic.written),
      inBytesPerSecond: rate(earlier?.sizeBytes, topic.sizeBytes),
      outPerSecond: groups.reduce((sum, { outPerSecond }) => sum + outPerSecond, 0),
      groups,
      worst: groups.reduce<GroupChanges | undefined>(
        (worst, group) => (worst === undefined || group.lag > worst.lag ? group : worst),
        undefined,
      ),
    };
  });
  const sum = (of: (topic: TopicChanges) => number) => topics.reduce((total, topic) => total + of(topic), 0);
  return {
    ...now,
    seconds,
    topics,
    inPerSecond: sum((topic) => topic.inPerSecond),
    inBytesPerSecond: sum((topic) => topic.inBytesPerSecond),
    outPerSecond: sum((topic) => topic.outPerSecond),
    lag: topics.flatMap(({ groups }) => groups).reduce((total, { lag }) => total + lag, 0n),
  };
}

function keyOf({ streamId, id }: TopicSample): string {
  return `${streamId} ${id}`;
}

function readOf({ partitions }: GroupSample): bigint {
  return partitions.reduce((sum, { committed }) => sum + nextOffsetOf(committed), 0n);
}

/** The object of one interval, for programs. Sizes are bytes, times µs, rates for each second. */
export function changesDocument(address: string, changes: Changes): Json {
  const { stats } = changes;
  return {
    time: changes.takenAtMicros,
    address,
    seconds: Math.round(changes.seconds * 1000) / 1000,
    in_messages_per_second: rounded(changes.inPerSecond),
    in_bytes_per_second: rounded(changes.inBytesPerSecond),
    out_messages_per_second: rounded(changes.outPerSecond),
    lag: changes.lag,
    server:
      stats === undefined
        ? null
        : {
            version: stats.serverVersion,
            run_time: stats.runTimeMicros,
            cpu_usage: rounded(stats.cpuUsagePercent),
            memory_usage: stats.memoryUsageBytes,
            free_disk_space: stats.freeDiskSpaceBytes,
            total_disk_space: stats.totalDiskSpaceBytes,
            messages_count: stats.messagesCount,
            clients_count: stats.clientsCount,
          },
    topics: changes.topics.map((topic) => ({
      stream: topic.streamName,
      topic: topic.name,
      in_messages_per_second: rounded(topic.inPerSecond),
      in_bytes_per_second: rounded(topic.inBytesPerSecond),
      out_messages_per_second: rounded(topic.outPerSecond),
      size: topic.sizeBytes,
      messages_count: topic.messagesCount,
      groups: topic.groups.map((group) => ({
        name: group.name,
        members_count: group.membersCount,
        out_messages_per_second: rounded(group.outPerSecond),
        lag: group.lag,
        partitions: group.partitions.map(({ id, committed = null, head = null, lag }) => ({
          partition: id,
          committed,
          head,
          lag,
        })),
      })),
    })),
    clients: changes.clients.map(({ clientId, user = null, address: peer, transport, groups }) => ({
      client_id: clientId,
      user,
      address: peer,
      transport,
      groups,
    })),
    left_out: changes.leftOut,
  };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
