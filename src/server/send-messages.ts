// Send messages (101): the one command whose payload is not decoded into objects. It lies in frame memory, is checked there,
// and goes as it is to the shard that owns the partition.
import { findPartition, isPersisted, requireTopic, type Topic } from "../metadata/index.ts";
import { readU32 } from "../protocol/byte-reader.ts";
import { CommandCode } from "../protocol/codes.ts";
import { IggyError } from "../protocol/errors.ts";
import { hasEarlierHeaders } from "../protocol/message/earlier-header.ts";
import { decodeSendMessagesHead } from "../protocol/message/send-messages.ts";
import { indexRowBytes } from "../protocol/message-layout.ts";
import type { Partitioning } from "../protocol/partitioning.ts";
import { type FrameBuffer, partitionKeyOf, type Shard, splitPartitionKey } from "../shard/index.ts";
import { requireRight } from "./rights.ts";
import { countBytes } from "./send-route.ts";
import type { Session } from "./session.ts";

/** The error of a batch whose messages are those of a client of 0.6 or earlier. */
export class EarlierClientError extends IggyError {
  constructor(code: number) {
    super(IggyError.ofCode(code).errorName);
  }
}

/**
 * Carries out one send; the buffer must stay until the promise settles. Rejects, and never throws, as in spec BP 4.5: with the
 * errors of the head, of the batch, 1009, 2010, 41, 3007, and those of the append.
 */
export function sendMessages(shard: Shard, session: Session, buffer: FrameBuffer): Promise<void> {
  return send(shard, session, buffer, append);
}

/** Where messages are that were sent. */
export interface SentMessages {
  readonly streamId: number;
  readonly topicId: number;
  readonly partitionId: number;
  /** Offset of the first one. */
  readonly baseOffset: number;
  /** Whether the topic promises that no power loss takes them (spec P9 11.2). */
  readonly isPersisted: boolean;
}

/** The same; resolves with where the messages are. */
export function sendMessagesAt(shard: Shard, session: Session, buffer: FrameBuffer): Promise<SentMessages> {
  return send(shard, session, buffer, appendAt);
}

type Append<T> = (
  shard: Shard,
  session: Session,
  buffer: FrameBuffer,
  rowsPosition: number,
  messagesCount: number,
  messagesPosition: number,
  end: number,
) => Promise<T>;

/** `appendTo` appends to where the session's route leads. Not `async`, which would cost each send a promise more. */
function send<T>(shard: Shard, session: Session, buffer: FrameBuffer, appendTo: Append<T>): Promise<T> {
  try {
    return sendOrThrow(shard, session, buffer, appendTo);
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}

function sendOrThrow<T>(shard: Shard, session: Session, buffer: FrameBuffer, appendTo: Append<T>): Promise<T> {
  shard.pulse.beganCommand(CommandCode.sendMessages);
  const { memory, position } = buffer;
  const end = position + buffer.sizeBytes;
  const route = session.sendRoute;
  const version = shard.metadataVersion;
  const countPosition = route.countPosition(memory, position, end, version);
  if (countPosition >= 0) {
    const messagesCount = readU32(memory, countPosition);
    const rowsPosition = countPosition + countBytes;
    const messagesPosition = rowsPosition + indexRowBytes * messagesCount;
    if (messagesPosition > end) throw new IggyError("InvalidCommand");
    requireValid(shard, buffer, rowsPosition, messagesCount, messagesPosition, end);
    return appendTo(shard, session, buffer, rowsPosition, messagesCount, messagesPosition, end);
  }

  const { head, countPosition: count, rowsPosition, messagesPosition } = decodeSendMessagesHead(memory, position, end);
  const { messagesCount } = head;
  requireValid(shard, buffer, rowsPosition, messagesCount, messagesPosition, end);
  const { stream, topic } = requireTopic(shard.state, head.stream, head.topic);
  requireRight(shard, session, "sendMessages", stream.id, topic.id);
  route.set(stream.id, topic, head.partitioning);
  // A head with bytes behind the count is legal (spec BP 4.5), but not remembered.
  if (count + countBytes === rowsPosition) route.remember(memory, position, rowsPosition, version);
  return appendTo(shard, session, buffer, rowsPosition, messagesCount, messagesPosition, end);
}

/** The checks of the batch come before stream and topic are looked at (spec BP 4.5). */
function requireValid(
  shard: Shard,
  buffer: FrameBuffer,
  rowsPosition: number,
  messagesCount: number,
  messagesPosition: number,
  end: number,
): void {
  const kernel = shard.kernelOf(buffer);
  const errorCode = kernel.validate(rowsPosition, messagesCount, messagesPosition, end - messagesPosition);
  if (errorCode === 0) return;
  const batch = { rowsPosition, messagesCount, messagesPosition, end };
  if (hasEarlierHeaders(buffer.memory, batch)) throw new EarlierClientError(errorCode);
  throw IggyError.ofCode(errorCode);
}

function append(
  shard: Shard,
  session: Session,
  buffer: FrameBuffer,
  rowsPosition: number,
  messagesCount: number,
  messagesPosition: number,
  end: number,
): Promise<void> {
  const messagesSizeBytes = end - messagesPosition;
  return shard.append(partitionOfRoute(shard, session), {
    buffer,
    rowsPosition,
    messagesCount,
    messagesPosition,
    messagesSizeBytes,
  });
}

async function appendAt(
  shard: Shard,
  session: Session,
  buffer: FrameBuffer,
  rowsPosition: number,
  messagesCount: number,
  messagesPosition: number,
  end: number,
): Promise<SentMessages> {
  const partitionKey = partitionOfRoute(shard, session);
  const isTopicPersisted = isPersisted(session.sendRoute.topic!);
  const place = { buffer, rowsPosition, messagesCount, messagesPosition, messagesSizeBytes: end - messagesPosition };
  const baseOffset = await shard.appendAt(partitionKey, place);
  return { ...splitPartitionKey(partitionKey), baseOffset, isPersisted: isTopicPersisted };
}

/** Key of the partition to which the session's route leads; throws as `choosePartition`. */
export function partitionOfRoute(shard: Shard, session: Session): number {
  const { streamId, topic, partitioning } = session.sendRoute;
  const partitionKey = partitionKeyOf(streamId, topic!.id, choosePartition(shard, streamId, topic!, partitioning));
  if (partitioning.kind === "partition") session.affinity.note(shard.remoteOwnerOf(partitionKey));
  return partitionKey;
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
