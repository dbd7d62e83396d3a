// From a reply of the dispatch to the bytes of a frame (spec BP 2.2), whatever the transport.
import { readSync } from "node:fs";
import { frameHeaderBytes, writeReplyHead } from "../protocol/frame.ts";
import { PollReplyLayout, pollReplyHeadBytes } from "../protocol/message-layout.ts";
import { isPollReply, type PollReply, type Reply } from "../server/index.ts";
import type { Output } from "./output.ts";

/** Poll replies up to this size are read into memory and sent with one call. */
export const joinedReplyBytesMax = 32 * 1024;

const successFrame = new Uint8Array(frameHeaderBytes);
/** Only used inside one call. */
const replyBuffer = new Uint8Array(frameHeaderBytes + pollReplyHeadBytes + joinedReplyBytesMax);
const replyView = new DataView(replyBuffer.buffer);

/** Sends a successful reply; undefined is the empty one. True for a poll whose reply was small. */
export function writeReply(output: Output, reply: Reply | undefined): boolean {
  if (reply === undefined || (!isPollReply(reply) && reply.byteLength === 0)) {
    output.write(successFrame);
    return false;
  }
  if (isPollReply(reply)) {
    return reply.prefix === undefined ? writePoll(output, reply) : writePrefixedPoll(output, reply, reply.prefix);
  }
  const frame = new Uint8Array(frameHeaderBytes + reply.byteLength);
  writeReplyHead(new DataView(frame.buffer), 0, 0, reply.byteLength);
  frame.set(reply, frameHeaderBytes);
  output.write(frame);
  return false;
}

/** Size of the payload of a reply. */
export function replyBytes(reply: Reply): number {
  if (!isPollReply(reply)) return reply.byteLength;
  return (reply.prefix?.byteLength ?? 0) + pollReplyHeadBytes + reply.read.sizeBytes;
}

function writePoll(output: Output, { partitionId, read }: PollReply): boolean {
  const headBytes = frameHeaderBytes + pollReplyHeadBytes;
  writeReplyHead(replyView, 0, 0, pollReplyHeadBytes + read.sizeBytes);
  writePollHead(replyView, frameHeaderBytes, partitionId, read);
  if (read.sizeBytes > joinedReplyBytesMax) {
    output.writeParts(replyBuffer.subarray(0, headBytes), read.parts, () => read.release());
    return false;
  }
  writeJoined(output, read, headBytes);
  return true;
}

function writePollHead(view: DataView, position: number, partitionId: number, read: PollReply["read"]): void {
  view.setUint32(position + PollReplyLayout.partitionId, partitionId, true);
  const offsetPosition = position + PollReplyLayout.currentOffset;
  view.setUint32(offsetPosition, read.currentOffset >>> 0, true);
  view.setUint32(offsetPosition + 4, Math.floor(read.currentOffset / 2 ** 32), true);
  view.setUint32(position + PollReplyLayout.messagesCount, read.messagesCount, true);
}

/**
 * The reply of a poll that waits: what stands before the poll's own head may be any size. A push has another number in the place
 * of the status.
 */
export function writePrefixedPoll(
  output: Output,
  { partitionId, read }: PollReply,
  prefix: Uint8Array,
  status = 0,
): boolean {
  const headBytes = frameHeaderBytes + prefix.byteLength + pollReplyHeadBytes;
  const isSmall = headBytes + read.sizeBytes <= joinedReplyBytesMax;
  const frame = isSmall ? replyBuffer : new Uint8Array(headBytes);
  const view = isSmall ? replyView : new DataView(frame.buffer);
  writeReplyHead(view, 0, status, headBytes - frameHeaderBytes + read.sizeBytes);
  frame.set(prefix, frameHeaderBytes);
  writePollHead(view, frameHeaderBytes + prefix.byteLength, partitionId, read);
  if (isSmall) {
    writeJoined(output, read, headBytes);
    return true;
  }
  output.writeParts(frame, read.parts, () => read.release());
  return false;
}

/** Head and messages with one call: the head is in the buffer already. */
function writeJoined(output: Output, read: PollReply["read"], headBytes: number): void {
  let position = headBytes;
  for (const part of read.parts) {
    if (part.kind === "bytes") replyBuffer.set(part.bytes, position);
    else readSync(part.fd, replyBuffer, position, part.sizeBytes, part.position);
    position += part.kind === "bytes" ? part.bytes.byteLength : part.sizeBytes;
  }
  read.release();
  output.write(replyBuffer.subarray(0, position));
}
