// The reply to a poll of 0.9 (spec P9 8.4): a head as in 0.8, and the messages as records.
import { PollReplyLayout, pollReplyHeadBytes } from "../../protocol/message-layout.ts";
import { headerBytes, operationOf, writeReplyHeader } from "../../protocol/v09/headers.ts";
import type { PollReply } from "../../server/index.ts";
import { PackedRecords } from "../../shard/index.ts";
import type { Output } from "../output.ts";
import { joinedReplyBytesMax } from "../reply-writer.ts";

/** Sends the messages, or that there are none; releases the read when it is not needed any more. True for a small reply. */
export function writeRecords(output: Output, requestHeader: Uint8Array, reply: PollReply): boolean {
  const { read } = reply;
  let records: PackedRecords | undefined;
  try {
    records = writeSmall(output, requestHeader, reply);
  } catch (error) {
    read.release();
    throw error;
  }
  if (records === undefined) {
    read.release();
    return true;
  }
  // From here on the output has to release it, also when it fails.
  output.writeParts(headOf(requestHeader, reply, records.sizeBytes), [records], () => read.release());
  return false;
}

/** Sends a small reply; the records where it is not. */
function writeSmall(output: Output, requestHeader: Uint8Array, reply: PollReply): PackedRecords | undefined {
  const { partitionId, read } = reply;
  if (read.messagesCount === 0) {
    output.write(headOf(requestHeader, reply, 0));
    return undefined;
  }
  const records = new PackedRecords(read, partitionId);
  if (records.sizeBytes > joinedReplyBytesMax) return records;
  output.write(records.bytesBehind(headOf(requestHeader, reply, records.sizeBytes)));
  return undefined;
}

function headOf(requestHeader: Uint8Array, { partitionId, read }: PollReply, recordsBytes: number): Uint8Array {
  const head = new Uint8Array(headerBytes + pollReplyHeadBytes);
  const fields = { operation: operationOf(requestHeader), status: 0, bodyBytes: pollReplyHeadBytes + recordsBytes };
  writeReplyHeader(head, 0, requestHeader, fields);
  const view = new DataView(head.buffer, headerBytes);
  view.setUint32(PollReplyLayout.partitionId, partitionId, true);
  view.setUint32(PollReplyLayout.currentOffset, read.currentOffset >>> 0, true);
  view.setUint32(PollReplyLayout.currentOffset + 4, Math.floor(read.currentOffset / 2 ** 32), true);
  view.setUint32(PollReplyLayout.messagesCount, read.messagesCount, true);
  return head;
}
