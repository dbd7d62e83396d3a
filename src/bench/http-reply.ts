// The JSON answer of a poll as a poll reply of the binary protocol, so that one check serves all transports. Ids and checksums
// do not fit a JSON number of this language; only the first message's are compared, so only they are taken exactly.

import { MessageLayout, messageHeaderBytes, PollReplyLayout } from "../protocol/message-layout.ts";

/** The part of the document that is looked at (spec HA 5.3). */
type PolledJson = {
  readonly partition_id: number;
  readonly current_offset: number;
  readonly messages: readonly {
    readonly header: {
      readonly offset: number;
      readonly timestamp: number;
      readonly origin_timestamp: number;
    };
    readonly payload: string;
  }[];
};

const bits64 = 64n;

/** Messages are without user headers, as the bench sends them. */
export function pollReplyOf(text: string): Uint8Array {
  const polled: PolledJson = JSON.parse(text);
  const base64Chars = polled.messages.reduce((sum, { payload }) => sum + payload.length, 0);
  const bytesMax = PollReplyLayout.messages + polled.messages.length * messageHeaderBytes + base64Chars;
  const reply = new Uint8Array(bytesMax);
  const view = new DataView(reply.buffer);
  view.setUint32(PollReplyLayout.partitionId, polled.partition_id, true);
  writeU64(view, PollReplyLayout.currentOffset, polled.current_offset);
  view.setUint32(PollReplyLayout.messagesCount, polled.messages.length, true);
  let position: number = PollReplyLayout.messages;
  for (const [index, { header, payload }] of polled.messages.entries()) {
    if (index === 0) writeExact(view, position, text);
    writeU64(view, position + MessageLayout.offset, header.offset);
    writeU64(view, position + MessageLayout.timestamp, header.timestamp);
    writeU64(view, position + MessageLayout.originTimestamp, header.origin_timestamp);
    const { written } = reply.subarray(position + MessageLayout.payload).setFromBase64(payload);
    view.setUint32(position + MessageLayout.payloadLength, written, true);
    position += messageHeaderBytes + written;
  }
  return reply.subarray(0, position);
}

function writeU64(view: DataView, position: number, value: number): void {
  view.setUint32(position, value >>> 0, true);
  view.setUint32(position + 4, Math.floor(value / 2 ** 32), true);
}

/** Checksum and id of the first message, with all their digits. */
function writeExact(view: DataView, position: number, text: string): void {
  const id = exactNumber(text, "id");
  view.setBigUint64(position + MessageLayout.checksum, exactNumber(text, "checksum"), true);
  view.setBigUint64(position + MessageLayout.id, BigInt.asUintN(64, id), true);
  view.setBigUint64(position + MessageLayout.id + 8, id >> bits64, true);
}

function exactNumber(text: string, name: string): bigint {
  const digits = new RegExp(`"${name}":\\s*(\\d+)`).exec(text)?.[1];
  if (digits === undefined) throw new Error(`the answer of the poll has no ${name}`);
  return BigInt(digits);
}
