// Messages as Server-Sent Events: an event each, whose id is the offset and whose data is the message as in the answer of a poll
// (spec HA 5.3). JSON has no line breaks of its own, so one line holds it.
import { MessageLayout, messageHeaderBytes } from "../../../protocol/message-layout.ts";
import { ascii, type JsonBytes, u64DigitsMax } from "./json-bytes.ts";
import {
  payloadBytesAt,
  userHeadersBytesAt,
  writeMessageEnd,
  writeMessageStart,
  writePayload,
} from "./message-json.ts";
import { type MessageText, textBytesMax } from "./message-pieces.ts";

const idName = ascii("id: ");
const dataName = ascii("\ndata: ");
const eventEnd = ascii("\n\n");

export const eventText: MessageText = {
  writeWhole(out, bytes, usedBytes) {
    let at = 0;
    while (at + messageHeaderBytes <= usedBytes && out.length < textBytesMax) {
      const payloadAt = at + messageHeaderBytes;
      const headersAt = payloadAt + payloadBytesAt(bytes, at);
      const end = headersAt + userHeadersBytesAt(bytes, at);
      if (end > usedBytes) break;
      startEvent(out, bytes, at);
      writePayload(out, bytes, payloadAt, headersAt);
      endEvent(out, bytes, headersAt, end);
      at = end;
    }
    return at;
  },
  writeStart: (out, bytes) => startEvent(out, bytes, 0),
  writeEnd: endEvent,
};

/** Up to the payload of the message whose header lies at `at`. */
function startEvent(out: JsonBytes, bytes: Uint8Array, at: number): void {
  out.reserve(idName.length + u64DigitsMax + dataName.length);
  out.fragment(idName);
  out.u64(bytes, at + MessageLayout.offset);
  out.fragment(dataName);
  writeMessageStart(out, bytes, at, true);
}

function endEvent(out: JsonBytes, bytes: Uint8Array, start: number, end: number): void {
  writeMessageEnd(out, bytes, start, end);
  out.reserve(eventEnd.length);
  out.fragment(eventEnd);
}
