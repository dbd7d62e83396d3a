// Sends of 0.9 (spec P9 8): the frames of a batch become messages as they are stored, in the memory that received them, and go the
// way of every other send from there on.
import { requireTopic } from "../../metadata/index.ts";
import { readU32 } from "../../protocol/byte-reader.ts";
import { CommandCode } from "../../protocol/codes.ts";
import { IggyError } from "../../protocol/errors.ts";
import { indexRowBytes, messageHeaderBytes } from "../../protocol/message-layout.ts";
import {
  BatchHeaderLayout,
  batchHeaderBytes,
  messageFrameBytes,
  readSendHead09,
  sendReplyBytes,
  writeSendReply,
} from "../../protocol/v09/batch-layout.ts";
import { hasRequestChecksum, isClientZero, isSessionZero } from "../../protocol/v09/headers.ts";
import { type FrameBuffer, type Shard, splitPartitionKey } from "../../shard/index.ts";
import { requireRight } from "../rights.ts";
import { partitionOfRoute } from "../send-messages.ts";
import { countBytes } from "../send-route.ts";
import type { Session } from "../session.ts";
import { requireIntact } from "./intact.ts";

/**
 * Refusal of a send for what its header says: InvalidCommand (3) without a client, Unauthenticated (40) without a session
 * (spec P9 7.2).
 */
export function refusalOfSendHeader09(header: Uint8Array): IggyError | undefined {
  if (isClientZero(header)) return new IggyError("InvalidCommand");
  return isSessionZero(header) ? new IggyError("Unauthenticated") : undefined;
}

/** What the kernel needs for each message besides its frame: an index row, and the longer header. */
const growthBytes = indexRowBytes + messageHeaderBytes - messageFrameBytes;

/**
 * Bytes that the buffer of a send keeps free before its frames: the head, index rows, and room to grow. `head` is the body up
 * to the frames. Returns the refusal of a count that the frames cannot have: InvalidMessagesCount (4009) for none,
 * else InvalidCommand (3).
 */
export function startBytesOfSend09(head: Uint8Array, framesBytes: number): number | IggyError {
  const count = readU32(head, head.byteLength - batchHeaderBytes + BatchHeaderLayout.messagesCount);
  if (count === 0) return new IggyError("InvalidMessagesCount");
  if (count * messageFrameBytes > framesBytes) return new IggyError("InvalidCommand");
  return head.byteLength + count * growthBytes;
}

/**
 * Carries out one send, whose frames are in the buffer behind the bytes of `startBytesOfSend09`; the buffer must stay until the
 * promise settles: with the body of the reply, which says where the messages are (spec P9 8.3). `header` is that of the request,
 * `head` as above. Errors: 4 where the body is not what the header has the checksum of, those of the head and the batch
 * (spec P9 8.2), 1009, 2010, 41, 3007, and those of the append.
 */
export async function sendMessages09(
  shard: Shard,
  session: Session,
  header: Uint8Array,
  head: Uint8Array,
  buffer: FrameBuffer,
): Promise<Uint8Array> {
  shard.pulse.beganCommand(CommandCode.sendMessages);
  const messagesCount = readU32(head, head.byteLength - batchHeaderBytes + BatchHeaderLayout.messagesCount);
  const end = buffer.position + buffer.sizeBytes;
  const rowsPosition = buffer.position + head.byteLength;
  const messagesPosition = rowsPosition + messagesCount * indexRowBytes;
  const framesPosition = rowsPosition + messagesCount * growthBytes;
  if (hasRequestChecksum(header)) {
    // The body in one piece: what the kernel needs is not in use yet.
    const bodyPosition = framesPosition - head.byteLength;
    buffer.memory.set(head, bodyPosition);
    requireIntact(header, buffer.memory.subarray(bodyPosition, end));
  }
  const framesBytes = end - framesPosition;
  requireHead(shard, session, head, framesBytes, messagesCount);
  buffer.memory.set(head.subarray(head.byteLength - batchHeaderBytes), buffer.position);
  const kernel = shard.kernelOf(buffer);
  const errorCode = kernel.unpackRecord(buffer.position, framesPosition, framesBytes, rowsPosition, messagesPosition);
  if (errorCode !== 0) throw IggyError.ofCode(errorCode);

  const partitionKey = partitionOfRoute(shard, session);
  const messagesSizeBytes = framesBytes + messagesCount * (messageHeaderBytes - messageFrameBytes);
  const place = { buffer, rowsPosition, messagesCount, messagesPosition, messagesSizeBytes };
  const baseOffset = await shard.appendAt(partitionKey, place);
  const { streamId, topicId, partitionId } = splitPartitionKey(partitionKey);
  const reply = new Uint8Array(sendReplyBytes);
  writeSendReply(reply, 0, streamId, topicId, partitionId, baseOffset);
  return reply;
}

/** Finds out where the batch goes, unless it is where the last one of the connection went. */
function requireHead(
  shard: Shard,
  session: Session,
  head: Uint8Array,
  framesBytes: number,
  messagesCount: number,
): void {
  const route = session.sendRoute;
  const version = shard.metadataVersion;
  const metadataEnd = head.byteLength - batchHeaderBytes;
  const countPosition = route.countPosition(head, 0, metadataEnd, version);
  if (countPosition === metadataEnd - countBytes) {
    // The kernel looks at the batch header as a whole.
    if (readU32(head, countPosition) !== messagesCount) throw new IggyError("InvalidCommand");
    return;
  }
  const { stream: streamName, topic: topicName, partitioning } = readSendHead09(head, 0, head.byteLength, framesBytes);
  const { stream, topic } = requireTopic(shard.state, streamName, topicName);
  requireRight(shard, session, "sendMessages", stream.id, topic.id);
  route.set(stream.id, topic, partitioning);
  route.remember(head, 0, metadataEnd, version);
}
