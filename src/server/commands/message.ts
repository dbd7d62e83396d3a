// Poll and flush (spec BP 4.5, SB 4.5, 4.6). Sends have their own way in: send-messages.ts.
import { findPartition, requireTopic } from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { PollingStrategy } from "../../protocol/polling-strategy.ts";
import { partitionKeyOf } from "../../shard/index.ts";
import type { ConsumerKey, ReadFrom } from "../../storage/index.ts";
import { command, type PollReply, plainCommand } from "../command.ts";
import { requireConsumer } from "../consumers.ts";
import { toSafeNumber } from "../numbers.ts";

function readFrom(strategy: PollingStrategy, consumer: ConsumerKey): ReadFrom {
  switch (strategy.kind) {
    case "offset":
      return { kind: "offset", offset: toSafeNumber(strategy.value) };
    case "timestamp":
      return { kind: "timestamp", timestampMicros: toSafeNumber(strategy.value) };
    case "next":
      return { kind: "next", consumer };
    default:
      return { kind: strategy.kind };
  }
}

export const messageCommands = [
  plainCommand("pollMessages", ({ shard }, session, request): PollReply | Promise<PollReply> => {
    const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
    const consumer = requireConsumer(request.consumer, topic);
    const partitionId = request.partitionId ?? 0;
    if (findPartition(topic, partitionId) === undefined) {
      throw new IggyError("PartitionNotFound", [partitionId, topic.id, stream.id]);
    }
    const partitionKey = partitionKeyOf(stream.id, topic.id, partitionId);
    session.affinity.note(shard.remoteOwnerOf(partitionKey));
    const read = shard.read({
      partitionKey,
      from: readFrom(request.strategy, consumer),
      countMax: request.count,
      autoCommit: request.autoCommit ? consumer : undefined,
    });
    return read instanceof Promise ? read.then((done) => ({ partitionId, read: done })) : { partitionId, read };
  }),

  command("flushUnsavedBuffer", async ({ shard }, _session, request) => {
    const { stream, topic } = requireTopic(shard.state, request.stream, request.topic);
    if (findPartition(topic, request.partitionId) === undefined) {
      throw new IggyError("PartitionNotFound", [request.partitionId, topic.id, stream.id]);
    }
    await shard.flush(partitionKeyOf(stream.id, topic.id, request.partitionId), request.fsync);
    return undefined;
  }),
];
