// What a read of a partition gives, as bytes in one piece: for readers that get more than a socket's own replies.
import {
  MessageLayout,
  messageHeaderBytes,
  PollReplyLayout,
  pollReplyHeadBytes,
} from "../../protocol/message-layout.ts";
import { ReplyReader, type ShardRead } from "../../shard/index.ts";

/** Reads that are nobody's: they store no offset. */
export const nobody = { kind: "consumer", id: 0 } as const;

/** The bytes of a reply to poll messages (spec BP 4.5). */
export function pollReplyOf(
  partitionId: number,
  { currentOffset, messagesCount, sizeBytes, parts }: ShardRead,
): Uint8Array {
  const payload = new Uint8Array(pollReplyHeadBytes + sizeBytes);
  const view = new DataView(payload.buffer);
  view.setUint32(PollReplyLayout.partitionId, partitionId, true);
  view.setBigUint64(PollReplyLayout.currentOffset, BigInt(currentOffset), true);
  view.setUint32(PollReplyLayout.messagesCount, messagesCount, true);
  new ReplyReader(parts).readAt(0, payload.subarray(pollReplyHeadBytes));
  return payload;
}

/** Offset of its last message; 0 without one. */
export function lastOffsetOf(pollReply: Uint8Array): number {
  const view = new DataView(pollReply.buffer, pollReply.byteOffset, pollReply.byteLength);
  let last = 0;
  for (let position = pollReplyHeadBytes; position < pollReply.byteLength; ) {
    last = Number(view.getBigUint64(position + MessageLayout.offset, true));
    const payloadBytes = view.getUint32(position + MessageLayout.payloadLength, true);
    position += messageHeaderBytes + payloadBytes + view.getUint32(position + MessageLayout.userHeadersLength, true);
  }
  return last;
}
