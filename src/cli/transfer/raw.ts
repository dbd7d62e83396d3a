// Messages one after the other, as in a segment and in the original's files: a header of 64 bytes, the payload, the user headers
// (spec BP 3.7).

import type { PolledMessage } from "../../protocol/message/poll-messages.ts";
import { MessageLayout, messageHeaderBytes } from "../../protocol/message-layout.ts";
import { Problem } from "../problem.ts";

const noBytes = new Uint8Array(0);

/** Bytes of a message as it was polled. */
export function rawMessage(message: PolledMessage): Uint8Array {
  const { id, payload, userHeaders } = message;
  const bytes = new Uint8Array(messageHeaderBytes + payload.length + userHeaders.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(MessageLayout.checksum, message.checksum, true);
  view.setBigUint64(MessageLayout.id, id & 0xffff_ffff_ffff_ffffn, true);
  view.setBigUint64(MessageLayout.id + 8, id >> 64n, true);
  view.setBigUint64(MessageLayout.offset, message.offset, true);
  view.setBigUint64(MessageLayout.timestamp, message.timestampMicros, true);
  view.setBigUint64(MessageLayout.originTimestamp, message.originTimestampMicros, true);
  view.setUint32(MessageLayout.userHeadersLength, userHeaders.length, true);
  view.setUint32(MessageLayout.payloadLength, payload.length, true);
  view.setBigUint64(MessageLayout.reserved, message.reserved, true);
  bytes.set(payload, messageHeaderBytes);
  bytes.set(userHeaders, messageHeaderBytes + payload.length);
  return bytes;
}

/** What a file of raw messages holds; positions in it are those of the whole file. */
export async function* readRawMessages(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<PolledMessage, void, undefined> {
  let bytes: Uint8Array = noBytes;
  let position = 0;
  for await (const chunk of chunks) {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    let at = 0;
    for (let size = sizeAt(bytes, at); size !== undefined; size = sizeAt(bytes, at)) {
      yield messageAt(bytes, at);
      at += size;
    }
    position += at;
    bytes = bytes.subarray(at);
  }
  if (bytes.length > 0) {
    throw new Problem(`${name} does not end with a whole message: ${bytes.length} bytes from position ${position} on`);
  }
}

/** Size of the message at a position; undefined while it is not there as a whole. */
function sizeAt(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.length - at < messageHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, messageHeaderBytes);
  const payloadBytes = view.getUint32(MessageLayout.payloadLength, true);
  const size = messageHeaderBytes + payloadBytes + view.getUint32(MessageLayout.userHeadersLength, true);
  return bytes.length - at < size ? undefined : size;
}

function messageAt(bytes: Uint8Array, at: number): PolledMessage {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, messageHeaderBytes);
  const payloadEnd = at + messageHeaderBytes + view.getUint32(MessageLayout.payloadLength, true);
  const end = payloadEnd + view.getUint32(MessageLayout.userHeadersLength, true);
  return {
    checksum: view.getBigUint64(MessageLayout.checksum, true),
    id: view.getBigUint64(MessageLayout.id, true) + (view.getBigUint64(MessageLayout.id + 8, true) << 64n),
    offset: view.getBigUint64(MessageLayout.offset, true),
    timestampMicros: view.getBigUint64(MessageLayout.timestamp, true),
    originTimestampMicros: view.getBigUint64(MessageLayout.originTimestamp, true),
    reserved: view.getBigUint64(MessageLayout.reserved, true),
    payload: bytes.slice(at + messageHeaderBytes, payloadEnd),
    userHeaders: bytes.slice(payloadEnd, end),
  };
}
