// Send messages (101): the one command whose payload is not decoded into objects. It lies in frame memory, is checked there,
// and goes as it is to the shard that owns the partition.
import { findPartition, requireTopic, type Topic } from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import { decodeSendMessagesHead } from "../protocol/message/send-messages.ts";
import type { Partitioning } from "../protocol/partitioning.ts";
import { type FrameBuffer, partitionKeyOf, type Shard } from "../shard/index.ts";
import type { Session } from "./session.ts";

/**
 * Carries out one send; the buffer must stay until the promise settles. Errors as in spec BP 4.5: those of the head, of the
 * batch, 1009, 2010, 3007, and those of the append.
 */
export function sendMessages(shard: Shard, session: Session, buffer: FrameBuffer): Promise<void> {
  const end = buffer.position + buffer.sizeBytes;
  const { head, rowsPosition, messagesPosition } = decodeSendMessagesHead(buffer.memory, buffer.position, end);
  const { messagesCount } = head;
  const messagesSizeBytes = end - messagesPosition;
  const kernel = shard.kernelOf(buffer);
  const errorCode = kernel.validate(rowsPosition, messagesCount, messagesPosition, messagesSizeBytes);
  if (errorCode !== 0) throw IggyError.ofCode(errorCode);

  const { stream, topic } = requireTopic(shard.state, head.stream, head.topic);
  const partitionId = choosePartition(shard, stream.id, topic, head.partitioning);
  const partitionKey = partitionKeyOf(stream.id, topic.id, partitionId);
  if (head.partitioning.kind === "partition") session.affinity.note(shard.remoteOwnerOf(partitionKey));
  return shard.append(partitionKey, {
    buffer,
    rowsPosition,
    messagesCount,
    messagesPosition,
    messagesSizeBytes,
  });
}

/** Spec SB 4.3. A topic without partitions is TopicIdNotFound (2010), for keys too (the original stops there). */
function choosePartition(shard: Shard, streamId: number, topic: Topic, partitioning: Partitioning): number {
  const count = topic.partitions.length;
  if (partitioning.kind === "partition") {
    if (findPartition(topic, partitioning.partitionId) !== undefined) return partitioning.partitionId;
    throw new IggyError("PartitionNotFound", [partitioning.partitionId, topic.id, streamId]);
  }
  if (count === 0) throw new IggyError("TopicIdNotFound", [streamId, topic.id]);
  if (partitioning.kind === "key") return Bun.hash.xxHash32(partitioning.key, 0) % count;
  return shard.counters.nextBalancedPartition(partitionKeyOf(streamId, topic.id, 0), count);
}
