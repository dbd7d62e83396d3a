// Consumer offsets (spec BP 4.6, SB 4.8). They belong to a partition, so its owner keeps them.
import { findPartition, findStream, findTopic, requireTopic, type Stream, type Topic } from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import { partitionKeyOf } from "../../shard/index.ts";
import { command } from "../command.ts";
import { placeOfCommit, placeOfStored, refusalOfCommit } from "../consumers.ts";
import { toSafeNumber } from "../numbers.ts";
import { requireRight } from "../rights.ts";
import type { Session } from "../session.ts";

/** Clients of 0.9 are told that there is no such partition, those of 0.8 that nothing is stored (spec P9 6.4). */
function refuseMissingPartition(
  { protocol }: Session,
  { partitionId = 0 }: { readonly partitionId: number | undefined },
  stream: Stream,
  topic: Topic,
): undefined {
  if (protocol === "0.8" || findPartition(topic, partitionId) !== undefined) return undefined;
  throw new IggyError("PartitionNotFound", [partitionId, topic.id, stream.id]);
}

export const offsetCommands = [
  command("storeConsumerOffset", async ({ shard }, session, request) => {
    const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
    requireRight(shard, session, "pollMessages", stream.id, topic.id);
    try {
      const { partitionId, consumer, memberClientId } = placeOfCommit(session, request, stream, topic);
      const partitionKey = partitionKeyOf(stream.id, topic.id, partitionId);
      const offset = toSafeNumber(request.offset);
      await shard.offset({ operation: "store", partitionKey, consumer, memberClientId, offset });
    } catch (error) {
      throw refusalOfCommit(session, request, error);
    }
    return undefined;
  }),

  command("getConsumerOffset", async ({ shard }, session, request) => {
    const stream = findStream(shard.state, request.stream);
    const topic = stream && findTopic(stream, request.topic);
    // Whatever is missing is an empty success on the binary transports (spec SB 4.8).
    if (!stream || !topic) return undefined;
    requireRight(shard, session, "pollMessages", stream.id, topic.id);
    const place = placeOfStored(request, topic);
    if (place === undefined) return refuseMissingPartition(session, request, stream, topic);
    const { partitionId, consumer, memberClientId } = place;
    const partitionKey = partitionKeyOf(stream.id, topic.id, partitionId);
    const { currentOffset, storedOffset } = await shard.offset({
      operation: "get",
      partitionKey,
      consumer,
      memberClientId,
    });
    if (storedOffset === undefined) return undefined;
    return { partitionId, currentOffset: BigInt(currentOffset), storedOffset: BigInt(storedOffset) };
  }),

  command("deleteConsumerOffset", async ({ shard }, session, request) => {
    const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
    requireRight(shard, session, "pollMessages", stream.id, topic.id);
    try {
      const { partitionId, consumer, memberClientId } = placeOfCommit(session, request, stream, topic);
      const partitionKey = partitionKeyOf(stream.id, topic.id, partitionId);
      await shard.offset({ operation: "delete", partitionKey, consumer, memberClientId });
    } catch (error) {
      throw refusalOfCommit(session, request, error);
    }
    return undefined;
  }),
];
