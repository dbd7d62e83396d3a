// Messages as Server-Sent Events, piece by piece, from their bytes: an event each, whose id is the offset and whose data is the
// message as in the answer of a poll (spec HA 5.3). JSON has no line breaks of its own, so one line holds it.
import { MessageLayout, messageHeaderBytes } from "../../../protocol/message-layout.ts";
import { ReplyReader, type ShardRead } from "../../../shard/index.ts";
import { ascii, type JsonBytes, u64DigitsMax } from "./json-bytes.ts";
import {
  payloadBytesAt,
  userHeadersBytesAt,
  writeMessageEnd,
  writeMessageStart,
  writePayload,
} from "./message-json.ts";

/** Messages are read in pieces of this size: a multiple of three, so that base64 can go on behind each. */
const pieceBytes = 96 * 1024;
/** A piece of text has little more than this, unless user headers make it longer. */
const textBytesMax = 128 * 1024;

const idName = ascii("id: ");
const dataName = ascii("\ndata: ");
const eventEnd = ascii("\n\n");

/** Shared by all answers: only used inside one step. */
const input = new Uint8Array(pieceBytes);

export class EventPieces {
  readonly #reader: ReplyReader;
  readonly #sizeBytes: number;
  #position = 0;
  /** Of the message that is larger than a piece and was begun; 0: none. */
  #payloadEnd = 0;
  #messageEnd = 0;

  constructor({ parts, sizeBytes }: Pick<ShardRead, "parts" | "sizeBytes">) {
    this.#reader = new ReplyReader(parts);
    this.#sizeBytes = sizeBytes;
  }

  get isDone(): boolean {
    return this.#position >= this.#sizeBytes;
  }

  /** Appends the next piece. Throws when the messages end inside of one. */
  writeNext(out: JsonBytes): void {
    if (this.#payloadEnd !== 0) this.#writePayload(out);
    else this.#writeEvents(out);
  }

  #writeEvents(out: JsonBytes): void {
    const usedBytes = this.#reader.readAt(this.#position, input);
    let at = 0;
    while (at + messageHeaderBytes <= usedBytes && out.length < textBytesMax) {
      const payloadAt = at + messageHeaderBytes;
      const headersAt = payloadAt + payloadBytesAt(input, at);
      const end = headersAt + userHeadersBytesAt(input, at);
      if (end > usedBytes) break;
      startEvent(out, at);
      writePayload(out, input, payloadAt, headersAt);
      endEvent(out, input, headersAt, end);
      at = end;
    }
    this.#position += at;
    if (at > 0) return;
    if (usedBytes < messageHeaderBytes) throw cutError();
    // The message is larger than a piece.
    startEvent(out, 0);
    this.#position += messageHeaderBytes;
    this.#payloadEnd = this.#position + payloadBytesAt(input, 0);
    this.#messageEnd = this.#payloadEnd + userHeadersBytesAt(input, 0);
    this.#writePayload(out);
  }

  /** The next part of the payload of a message that was begun, and behind the last the event's end. */
  #writePayload(out: JsonBytes): void {
    const sizeBytes = Math.min(this.#payloadEnd - this.#position, pieceBytes);
    writePayload(out, this.#bytesAt(this.#position, sizeBytes), 0, sizeBytes);
    this.#position += sizeBytes;
    if (this.#position < this.#payloadEnd) return;
    const headersBytes = this.#messageEnd - this.#payloadEnd;
    endEvent(out, this.#bytesAt(this.#payloadEnd, headersBytes), 0, headersBytes);
    this.#position = this.#messageEnd;
    this.#payloadEnd = 0;
  }

  #bytesAt(position: number, sizeBytes: number): Uint8Array {
    const target = sizeBytes <= pieceBytes ? input.subarray(0, sizeBytes) : new Uint8Array(sizeBytes);
    if (this.#reader.readAt(position, target) < sizeBytes) throw cutError();
    return target;
  }
}

/** Up to the payload of the message whose header lies in the input. */
function startEvent(out: JsonBytes, at: number): void {
  out.reserve(idName.length + u64DigitsMax + dataName.length);
  out.fragment(idName);
  out.u64(input, at + MessageLayout.offset);
  out.fragment(dataName);
  writeMessageStart(out, input, at, true);
}

function endEvent(out: JsonBytes, bytes: Uint8Array, start: number, end: number): void {
  writeMessageEnd(out, bytes, start, end);
  out.reserve(eventEnd.length);
  out.fragment(eventEnd);
}

function cutError(): Error {
  return new Error("the last message of an answer is cut");
}
