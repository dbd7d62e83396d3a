// Consumer offsets (spec BP 4.6, SB 4.8). They belong to a partition, so its owner keeps them.
import { findPartition, findStream, findTopic, requireTopic } from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import { partitionKeyOf } from "../../shard/index.ts";
import { command } from "../command.ts";
import { requireConsumer, resolveConsumer } from "../consumers.ts";
import { toSafeNumber } from "../numbers.ts";

export const offsetCommands = [
  command("storeConsumerOffset", async ({ shard }, _session, request) => {
    const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
    const consumer = requireConsumer(request.consumer, topic);
    const partitionId = request.partitionId ?? 0;
    if (findPartition(topic, partitionId) === undefined) {
      throw new IggyError("PartitionNotFound", [partitionId, topic.id, stream.id]);
    }
    const partitionKey = partitionKeyOf(stream.id, topic.id, partitionId);
    const offset = toSafeNumber(request.offset);
    await shard.offset({ operation: "store", partitionKey, consumer, offset });
    return undefined;
  }),

  command("getConsumerOffset", async ({ shard }, _session, request) => {
    const stream = findStream(shard.state, request.stream);
    const topic = stream && findTopic(stream, request.topic);
    const consumer = resolveConsumer(request.consumer);
    const partitionId = request.partitionId ?? 0;
    // Whatever is missing is an empty success on the binary transports (spec SB 4.8).
    if (!stream || !topic || consumer === undefined || findPartition(topic, partitionId) === undefined)
      return undefined;
    const partitionKey = partitionKeyOf(stream.id, topic.id, partitionId);
    const { currentOffset, storedOffset } = await shard.offset({ operation: "get", partitionKey, consumer });
    if (storedOffset === undefined) return undefined;
    return { partitionId, currentOffset: BigInt(currentOffset), storedOffset: BigInt(storedOffset) };
  }),

  command("deleteConsumerOffset", async ({ shard }, _session, request) => {
    const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
    const consumer = requireConsumer(request.consumer, topic);
    const partitionId = request.partitionId ?? 0;
    if (findPartition(topic, partitionId) === undefined) {
      throw new IggyError("PartitionNotFound", [partitionId, topic.id, stream.id]);
    }
    await shard.offset({
      operation: "delete",
      partitionKey: partitionKeyOf(stream.id, topic.id, partitionId),
      consumer,
    });
    return undefined;
  }),
];
