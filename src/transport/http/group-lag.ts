// How far consumer groups are behind: messages of their topic after the offsets that they have stored.
import { IggyError } from "../../protocol/errors.ts";
import type { ServerContext } from "../../server/index.ts";
import { partitionKeyOf } from "../../shard/index.ts";

export interface Named {
  readonly id: number;
  readonly name: string;
}

export interface GroupLag {
  readonly stream: Named;
  readonly topic: Named;
  readonly group: Named;
  readonly messages: number;
}

/** Partitions of one group are asked for together, groups one after the other: a listing must not crowd out requests. */
export async function readGroupLags({ shard }: ServerContext): Promise<GroupLag[]> {
  const lags: GroupLag[] = [];
  for (const stream of [...shard.state.streams.byId.values()]) {
    for (const topic of [...stream.topics.byId.values()]) {
      for (const group of [...topic.groups.byId.values()]) {
        const keys = topic.partitions.map((_, id) => partitionKeyOf(stream.id, topic.id, id));
        const behind = await Promise.all(keys.map((key) => readLag(shard, key, group.id)));
        const messages = behind.reduce((sum, count) => sum + count, 0);
        lags.push({ stream, topic, group, messages });
      }
    }
  }
  return lags;
}

/** 0 for a partition that was deleted meanwhile. */
async function readLag(shard: ServerContext["shard"], partitionKey: number, groupId: number): Promise<number> {
  try {
    const consumer = { kind: "group", id: groupId } as const;
    const { currentOffset, storedOffset } = await shard.offset({ operation: "get", partitionKey, consumer });
    const { hasMessages, messagesCount } = shard.counters.partition(partitionKey);
    if (!hasMessages) return 0;
    // Never more than is there: retention may have removed what lies behind an old offset.
    return storedOffset === undefined
      ? messagesCount
      : Math.min(messagesCount, Math.max(0, currentOffset - storedOffset));
  } catch (error) {
    if (error instanceof IggyError) return 0;
    throw error;
  }
}
