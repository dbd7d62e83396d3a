// Which messages a look through a partition is for. A filter never takes more than it says: text is compared in ASCII, whatever
// its case, and headers as text.
import { decode } from "../../protocol/codec.ts";
import type { ScanTerm } from "../../protocol/console/live.ts";
import { IggyError } from "../../protocol/errors.ts";
import { MessageLayout, messageHeaderBytes, pollReplyHeadBytes } from "../../protocol/message-layout.ts";
import { type HeaderField, type UserHeader, userHeadersCodec } from "../../protocol/user-headers.ts";

/** Views of a reply to poll messages. */
export type ScannedMessage = {
  readonly offset: bigint;
  readonly timestampMicros: bigint;
  readonly payload: Uint8Array;
  readonly userHeaders: Uint8Array;
  readonly whole: Uint8Array;
};

export type MessageFilter = (message: ScannedMessage) => boolean;

/** A message has to have all of them. */
export function filterOf(terms: readonly ScanTerm[]): MessageFilter {
  const texts = terms.flatMap((term) => ("text" in term ? [term.text.toLowerCase()] : []));
  const headers = terms.flatMap((term) => ("header" in term ? [term] : []));
  return ({ payload, userHeaders }) => {
    if (headers.length > 0) {
      const own = headersOf(userHeaders);
      const has = ({ header, value }: { readonly header: string; readonly value: string }) =>
        own.some((entry) => textOf(entry.key) === header && textOf(entry.value) === value);
      if (!headers.every(has)) return false;
    }
    if (texts.length === 0) return true;
    // One character a byte: what is not ASCII stays something else than ASCII.
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("latin1").toLowerCase();
    return texts.every((wanted) => text.includes(wanted));
  };
}

/** Those of a reply to poll messages, in order. */
export function forEachMessage(pollReply: Uint8Array, act: (message: ScannedMessage) => void): void {
  const view = new DataView(pollReply.buffer, pollReply.byteOffset, pollReply.byteLength);
  for (let position = pollReplyHeadBytes; position < pollReply.byteLength; ) {
    const payloadEnd = position + messageHeaderBytes + view.getUint32(position + MessageLayout.payloadLength, true);
    const end = payloadEnd + view.getUint32(position + MessageLayout.userHeadersLength, true);
    act({
      offset: view.getBigUint64(position + MessageLayout.offset, true),
      timestampMicros: view.getBigUint64(position + MessageLayout.timestamp, true),
      payload: pollReply.subarray(position + messageHeaderBytes, payloadEnd),
      userHeaders: pollReply.subarray(payloadEnd, end),
      whole: pollReply.subarray(position, end),
    });
    position = end;
  }
}

/** Bytes that are no headers have none. */
function headersOf(bytes: Uint8Array): readonly UserHeader[] {
  try {
    return decode(userHeadersCodec, bytes);
  } catch (error) {
    if (error instanceof IggyError) return [];
    throw error;
  }
}

/** Integers in decimal, bytes in hexadecimal, as the page writes them. */
function textOf(field: HeaderField): string {
  if (field.kind !== "raw") return String(field.value);
  return Array.from(field.value, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
