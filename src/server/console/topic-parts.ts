// What the console shows of the parts of a topic: its partitions, their segments, and whose offsets are stored in them.
import { findPartition, requireTopic, type Topic } from "../../metadata/index.ts";
import {
  offsetsMax,
  type PartitionSegments,
  partitionsMax,
  type StoredOffsets,
  segmentsMax,
  type TopicOffsets,
  type TopicPartitions,
} from "../../protocol/console/groups.ts";
import { IggyError } from "../../protocol/errors.ts";
import { nameId } from "../../protocol/identifier.ts";
import { compareConsumers, type PartitionOffsetsReport, partitionKeyOf } from "../../shard/index.ts";
import type { ServerContext } from "../context.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";

export interface TopicPlace {
  readonly stream: string;
  readonly topic: string;
}

/** A consumer or a group. */
export interface ConsumerPlace {
  readonly kind: "consumer" | "group";
  readonly id: number;
}

type Stored = PartitionOffsetsReport["stored"][number];

/** From `firstPartition` on. Errors: 1009, 2010, 41 without the right to read the topic. */
export async function partitionsOf(
  { shard }: ServerContext,
  session: Session,
  place: TopicPlace,
  firstPartition: number,
): Promise<TopicPartitions> {
  const { stream, topic } = requireTopic(shard.state, nameId(place.stream), nameId(place.topic));
  requireRight(shard, session, "getTopic", stream.id, topic.id);
  const endPartition = firstPartition + partitionsMax;
  const question = { streamId: stream.id, topicId: topic.id, firstPartition, endPartition };
  const reports = (await shard.reports({ kind: "partitions", question })).flat();
  return {
    items: reports
      .sort((left, right) => left.partitionId - right.partitionId)
      .map(({ partitionId, shardId, firstOffset, oldestMicros, condition }) => ({
        id: partitionId,
        shard: shardId,
        first: String(firstOffset),
        ...(oldestMicros === undefined ? {} : { oldest: String(oldestMicros) }),
        fenced: condition === "fenced",
        closed: condition === "closed",
      })),
    ...(topic.partitions.length > endPartition ? { next: endPartition } : {}),
  };
}

/** Those that start behind `afterOffset`; -1: all. Errors: 1009, 2010, 3007, 41; 10002 where they cannot be read. */
export async function segmentsOf(
  { shard }: ServerContext,
  session: Session,
  place: TopicPlace,
  partitionId: number,
  afterOffset: number,
): Promise<PartitionSegments> {
  const { stream, topic } = requireTopic(shard.state, nameId(place.stream), nameId(place.topic));
  requireRight(shard, session, "getTopic", stream.id, topic.id);
  if (findPartition(topic, partitionId) === undefined) {
    throw new IggyError("PartitionNotFound", [partitionId, topic.id, stream.id]);
  }
  const partitionKey = partitionKeyOf(stream.id, topic.id, partitionId);
  const question = { partitionKey, afterOffset, countMax: segmentsMax + 1 };
  const found = (await shard.reports({ kind: "segments", question })).find((answer) => answer !== undefined);
  if (found === undefined) throw new IggyError("CannotReadFile");
  const shown = found.slice(0, segmentsMax);
  return {
    items: shown.map((segment) => ({
      start: String(segment.startOffset),
      end: String(segment.endOffset),
      bytes: String(segment.sizeBytes),
      ...(segment.firstTimestampMicros === undefined ? {} : { firstTimestamp: String(segment.firstTimestampMicros) }),
      ...(segment.lastTimestampMicros === undefined ? {} : { lastTimestamp: String(segment.lastTimestampMicros) }),
      sealed: segment.isSealed,
    })),
    ...(found.length > segmentsMax ? { next: String(shown.at(-1)!.startOffset) } : {}),
  };
}

/** Consumers and groups behind `after`. Errors: 1009, 2010, 41 without the right to poll. */
export async function offsetsOf(
  { shard }: ServerContext,
  session: Session,
  place: TopicPlace,
  after: ConsumerPlace | undefined,
): Promise<TopicOffsets> {
  const { stream, topic } = requireTopic(shard.state, nameId(place.stream), nameId(place.topic));
  requireRight(shard, session, "pollMessages", stream.id, topic.id);
  const question = {
    ...{ streamId: stream.id, topicId: topic.id, firstPartition: 0, endPartition: Number.POSITIVE_INFINITY },
    ...{ after, countMax: offsetsMax + 1 },
  };
  const reports = (await shard.reports({ kind: "offsets", question }))
    .flat()
    .sort((left, right) => left.partitionId - right.partitionId);
  const consumers = new Map<string, Stored>();
  for (const stored of reports.flatMap((report) => report.stored)) consumers.set(`${stored.kind} ${stored.id}`, stored);
  const sorted = [...consumers.values()].sort(compareConsumers);
  const shown = sorted.slice(0, offsetsMax);
  const last = sorted.length > offsetsMax ? shown.at(-1) : undefined;
  const offsetsByConsumer = Map.groupBy(
    reports.flatMap(({ partitionId, endOffset, stored }) =>
      stored.map((consumer) => ({ consumer, partition: partitionId, end: endOffset })),
    ),
    ({ consumer }) => `${consumer.kind} ${consumer.id}`,
  );
  return {
    items: shown.map((consumer) => ({
      ...named(consumer, topic),
      offsets: (offsetsByConsumer.get(`${consumer.kind} ${consumer.id}`) ?? []).map((found) => ({
        partition: found.partition,
        offset: String(found.consumer.storedOffset),
        end: String(found.end),
      })),
    })),
    ...(last === undefined ? {} : { next: `${last.kind}:${last.id}` }),
    holdsRetention: holdersOf(reports, topic),
  };
}

function holdersOf(reports: readonly PartitionOffsetsReport[], topic: Topic): TopicOffsets["holdsRetention"] {
  return reports.flatMap(({ partitionId, holder }) =>
    holder === undefined
      ? []
      : [
          {
            partition: partitionId,
            offset: String(holder.storedOffset),
            by: named(holder, topic),
            segments: holder.segmentsCount,
          },
        ],
  );
}

/** With what it is called. */
function named(
  { kind, id, name: kept }: ConsumerPlace & { readonly name?: string | undefined },
  topic: Topic,
): Pick<StoredOffsets, "kind" | "id" | "name"> {
  const name = kind === "group" ? topic.groups.byId.get(id)?.name : kept;
  return { kind, id, ...(name === undefined ? {} : { name }) };
}
