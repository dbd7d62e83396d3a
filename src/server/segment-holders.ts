// Which consumers keep segments that were to be removed: by retention, or by a command that deletes segments (spec SB 5.1).
import { type MetadataState, requireTopic } from "../metadata/index.ts";
import type { Identifier } from "../protocol/identifier.ts";
import { type HeldPartition, splitPartitionKey } from "../shard/index.ts";
import { tellRefusedView } from "./audit.ts";
import type { ServerContext } from "./context.ts";
import { requireRight } from "./rights.ts";
import type { Session } from "./session.ts";

interface Numbered {
  readonly id: number;
  readonly name: string;
}

export interface SegmentHolderView {
  readonly stream: Numbered;
  readonly topic: Numbered;
  readonly partitionId: number;
  readonly kind: HeldPartition["kind"];
  /** A single consumer's number: as it was given, or the hash of its name. */
  readonly consumerId: number;
  /** Of a single consumer that gave one since names are kept. */
  readonly consumerName: string | undefined;
  /** Of a group. */
  readonly groupName: string | undefined;
  readonly storedOffset: number;
  readonly segmentsCount: number;
}

/** Those of one topic. Errors: 1009, 2010, 41 without the right to read the topic. */
export async function segmentHoldersOf(
  context: ServerContext,
  session: Session,
  target: { readonly stream: Identifier; readonly topic: Identifier },
): Promise<SegmentHolderView[]> {
  const { shard } = context;
  const { stream, topic } = requireTopic(shard.state, target.stream, target.topic);
  try {
    requireRight(shard, session, "getTopic", stream.id, topic.id);
  } catch (error) {
    tellRefusedView(context, session, "segmentHolders", error);
    throw error;
  }
  const held = (await shard.allStatistics()).flatMap((statistics) => statistics.held);
  return segmentHolders(shard.state, held).filter((holder) => holder.topic === topic);
}

/** In the order of their partitions, without those of what was deleted meanwhile. */
export function segmentHolders(state: MetadataState, held: readonly HeldPartition[]): SegmentHolderView[] {
  return held
    .toSorted((left, right) => left.partitionKey - right.partitionKey)
    .flatMap(({ partitionKey, kind, id, name: consumerName, storedOffset, segmentsCount }) => {
      const { streamId, topicId, partitionId } = splitPartitionKey(partitionKey);
      const stream = state.streams.byId.get(streamId);
      const topic = stream?.topics.byId.get(topicId);
      if (stream === undefined || topic === undefined) return [];
      const groupName = kind === "group" ? topic.groups.byId.get(id)?.name : undefined;
      const consumer = { kind, consumerId: id, consumerName, groupName };
      return [{ stream, topic, partitionId, ...consumer, storedOffset, segmentsCount }];
    });
}
