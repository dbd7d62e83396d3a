// A topic as far as the user may see it: who may only poll gets no details of it, but messages of its partitions.
import { type ConsoleBroker, IggyError, type TopicDetails } from "../../client/console-client.ts";
import { partitionsMax } from "../messages/window.ts";

export type SeenPartition = {
  readonly id: number;
  /** Of a topic without details the most that there can be. */
  readonly messagesCount: bigint;
};

export type SeenTopic = {
  /** Undefined: the user may not see them. */
  readonly details: TopicDetails | undefined;
  /** Of a topic without details those that answer, one more than a view shows at most; empty for who may not poll either. */
  readonly partitions: readonly SeenPartition[];
};

/** Behind every message: the answer is empty. */
const farOffset = BigInt(Number.MAX_SAFE_INTEGER);

/** Undefined: there is no such topic. Errors: those of the commands, but for a missing right. */
export async function seeTopic(from: ConsoleBroker, stream: string, topic: string): Promise<SeenTopic | undefined> {
  try {
    const details = await from.getTopic(stream, topic);
    return details && { details, partitions: details.partitions };
  } catch (error) {
    if (!IggyError.is(error, "Unauthorized")) throw error;
  }
  const ids = Array.from({ length: partitionsMax + 1 }, (_, id) => id);
  const found = await Promise.all(ids.map((id) => seePartition(from, stream, topic, id)));
  return { details: undefined, partitions: found.filter((partition) => partition !== undefined) };
}

async function seePartition(
  from: ConsoleBroker,
  stream: string,
  topic: string,
  id: number,
): Promise<SeenPartition | undefined> {
  const consumer = { kind: "consumer", id: { kind: "numeric", value: 0 } } as const;
  const strategy = { kind: "offset", value: farOffset } as const;
  try {
    const { currentOffset } = await from.pollMessages({ stream, topic, consumer, partitionId: id, strategy, count: 1 });
    return { id, messagesCount: currentOffset + 1n };
  } catch (error) {
    if (IggyError.is(error, "PartitionNotFound", "Unauthorized")) return undefined;
    throw error;
  }
}
