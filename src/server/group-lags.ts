// How far all consumer groups are behind: messages of their topics behind the offsets that they have stored. One message to each
// shard, however many groups there are.
import type { ConsumerGroup, Stream, Topic } from "../metadata/index.ts";
import { lagRow, type Shard } from "../shard/index.ts";

export interface GroupLag {
  readonly stream: Stream;
  readonly topic: Topic;
  readonly group: ConsumerGroup;
  /** Messages that are there and not read. */
  readonly lag: number;
  /** When an offset was last stored, µs; undefined: not since the start. */
  readonly storedAtMicros: number | undefined;
}

/** Every group, without those of what was deleted meanwhile. */
export async function readGroupLags(shard: Shard): Promise<GroupLag[]> {
  const sums = new Map<string, { lag: number; storedAtMicros: number }>();
  for (const rows of await shard.reports({ kind: "lags", question: undefined })) {
    for (let at = 0; at < rows.length; at += lagRow.width) {
      const key = `${rows[at + lagRow.streamId]} ${rows[at + lagRow.topicId]} ${rows[at + lagRow.groupId]}`;
      const sum = sums.get(key) ?? { lag: 0, storedAtMicros: 0 };
      sum.lag += rows[at + lagRow.lag]!;
      sum.storedAtMicros = Math.max(sum.storedAtMicros, rows[at + lagRow.storedAtMicros]!);
      sums.set(key, sum);
    }
  }
  const lags: GroupLag[] = [];
  for (const stream of shard.state.streams.byId.values()) {
    for (const topic of stream.topics.byId.values()) {
      for (const group of topic.groups.byId.values()) {
        const { lag, storedAtMicros } = sums.get(`${stream.id} ${topic.id} ${group.id}`) ?? {
          lag: 0,
          storedAtMicros: 0,
        };
        lags.push({ stream, topic, group, lag, storedAtMicros: storedAtMicros === 0 ? undefined : storedAtMicros });
      }
    }
  }
  return lags;
}
