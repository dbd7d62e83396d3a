// One message as JSON (spec HA 5.3), from its bytes as they lie in a reply. A message that is larger than a piece of an answer
// is written in steps: its beginning, parts of its payload, its end.
import { readU32 } from "../../../protocol/byte-reader.ts";
import { MessageLayout, messageHeaderBytes } from "../../../protocol/message-layout.ts";
import { userHeadersTextBytesMax, writeUserHeaders } from "./header-kinds.ts";
import { ascii, base64TextBytes, type JsonBytes, u32DigitsMax, u64DigitsMax, u128DigitsMax } from "./json-bytes.ts";

const checksumName = ascii('{"header":{"checksum":');
const idName = ascii(',"id":');
const offsetName = ascii(',"offset":');
const timestampName = ascii(',"timestamp":');
const originTimestampName = ascii(',"origin_timestamp":');
const userHeadersLengthName = ascii(',"user_headers_length":');
const payloadLengthName = ascii(',"payload_length":');
const reservedName = ascii(',"reserved":');
const payloadName = ascii('},"payload":"');
const userHeadersName = ascii('","user_headers":');
const messageEnd = ascii("}");

const fragments = [
  checksumName,
  idName,
  offsetName,
  timestampName,
  originTimestampName,
  userHeadersLengthName,
  payloadLengthName,
  reservedName,
  payloadName,
  userHeadersName,
  messageEnd,
];
/** All but payload and user headers, with a comma. */
const frameTextBytesMax =
  fragments.reduce((sum, { length }) => sum + length, 1) + 5 * u64DigitsMax + u128DigitsMax + 2 * u32DigitsMax;

/** Size of the payload of the message whose header lies at the position. */
export function payloadBytesAt(bytes: Uint8Array, position: number): number {
  return readU32(bytes, position + MessageLayout.payloadLength);
}

/** Size of the user headers of the message whose header lies at the position. */
export function userHeadersBytesAt(bytes: Uint8Array, position: number): number {
  return readU32(bytes, position + MessageLayout.userHeadersLength);
}

/**
 * Writes the whole messages between two positions, separated by commas, until the text has `textBytesMax` or more. Returns
 * where the first message begins that was not written.
 */
export function writeMessages(
  out: JsonBytes,
  bytes: Uint8Array,
  start: number,
  limit: number,
  isFirst: boolean,
  textBytesMax: number,
): number {
  let position = start;
  while (position + messageHeaderBytes <= limit && out.length < textBytesMax) {
    const payloadPosition = position + messageHeaderBytes;
    const headersPosition = payloadPosition + payloadBytesAt(bytes, position);
    const end = headersPosition + userHeadersBytesAt(bytes, position);
    if (end > limit) break;
    writeMessageStart(out, bytes, position, isFirst && position === start);
    writePayload(out, bytes, payloadPosition, headersPosition);
    writeMessageEnd(out, bytes, headersPosition, end);
    position = end;
  }
  return position;
}

/** Up to the payload; a comma before all but the first. */
export function writeMessageStart(out: JsonBytes, bytes: Uint8Array, position: number, isFirst: boolean): void {
  out.reserve(frameTextBytesMax);
  if (!isFirst) out.comma();
  out.fragment(checksumName);
  out.u64(bytes, position + MessageLayout.checksum);
  out.fragment(idName);
  out.u128(bytes, position + MessageLayout.id);
  out.fragment(offsetName);
  out.u64(bytes, position + MessageLayout.offset);
  out.fragment(timestampName);
  out.u64(bytes, position + MessageLayout.timestamp);
  out.fragment(originTimestampName);
  out.u64(bytes, position + MessageLayout.originTimestamp);
  out.fragment(userHeadersLengthName);
  out.u32(userHeadersBytesAt(bytes, position));
  out.fragment(payloadLengthName);
  out.u32(payloadBytesAt(bytes, position));
  out.fragment(reservedName);
  out.u64(bytes, position + MessageLayout.reserved);
  out.fragment(payloadName);
}

/** The payload or a part of it; each part but the last has a multiple of three bytes. */
export function writePayload(out: JsonBytes, bytes: Uint8Array, start: number, end: number): void {
  out.reserve(base64TextBytes(end - start));
  out.base64(bytes, start, end);
}

/** What follows the payload; the user headers lie between the two positions. */
export function writeMessageEnd(out: JsonBytes, bytes: Uint8Array, start: number, end: number): void {
  out.reserve(userHeadersName.length + userHeadersTextBytesMax(end - start) + messageEnd.length);
  out.fragment(userHeadersName);
  writeUserHeaders(out, bytes, start, end);
  out.fragment(messageEnd);
}
