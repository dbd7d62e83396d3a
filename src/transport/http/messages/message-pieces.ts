// Messages as text, piece by piece, from their bytes and without an object per message: what answers of polls and streams of events
// have in common. A message that is larger than a piece is written in parts.
import { messageHeaderBytes } from "../../../protocol/message-layout.ts";
import { ReplyReader, type ShardRead } from "../../../shard/index.ts";
import type { JsonBytes } from "./json-bytes.ts";
import { payloadBytesAt, userHeadersBytesAt, writePayload } from "./message-json.ts";

/** Messages are read in pieces of this size: a multiple of three, so that base64 can go on behind each. */
const pieceBytes = 96 * 1024;
/** A piece of text has little more than this, unless user headers make it longer. */
export const textBytesMax = 128 * 1024;

/** Shared by all answers: only used inside one step. */
const input = new Uint8Array(pieceBytes);

/** How a message is written; `bytes` are those of messages as they are stored. */
export interface MessageText {
  /** Messages that lie whole in the first `usedBytes`, until `out` has some `textBytesMax`; returns where the last one ends. */
  writeWhole(out: JsonBytes, bytes: Uint8Array, usedBytes: number, isFirst: boolean): number;
  /** What stands before the payload of the message whose header lies at the start of `bytes`. */
  writeStart(out: JsonBytes, bytes: Uint8Array, isFirst: boolean): void;
  /** What stands behind the payload; its user headers lie from `start` to `end`. */
  writeEnd(out: JsonBytes, bytes: Uint8Array, start: number, end: number): void;
}

export class MessagePieces {
  readonly #reader: ReplyReader;
  readonly #sizeBytes: number;
  readonly #text: MessageText;
  #position = 0;
  /** Of the message that is larger than a piece and was begun; 0: none. */
  #payloadEnd = 0;
  #messageEnd = 0;

  constructor({ parts, sizeBytes }: Pick<ShardRead, "parts" | "sizeBytes">, text: MessageText) {
    this.#reader = new ReplyReader(parts);
    this.#sizeBytes = sizeBytes;
    this.#text = text;
  }

  get isDone(): boolean {
    return this.#position >= this.#sizeBytes;
  }

  /** Appends the next piece, unless all is done. Throws when the messages end inside of one. */
  writeNext(out: JsonBytes): void {
    if (this.#payloadEnd !== 0) this.#writePayload(out);
    else if (!this.isDone) this.#writeMessages(out);
  }

  #writeMessages(out: JsonBytes): void {
    const usedBytes = this.#reader.readAt(this.#position, input);
    const isFirst = this.#position === 0;
    const endBytes = this.#text.writeWhole(out, input, usedBytes, isFirst);
    this.#position += endBytes;
    if (endBytes > 0) return;
    if (usedBytes < messageHeaderBytes) throw cutError();
    // The message is larger than a piece.
    this.#text.writeStart(out, input, isFirst);
    this.#position += messageHeaderBytes;
    this.#payloadEnd = this.#position + payloadBytesAt(input, 0);
    this.#messageEnd = this.#payloadEnd + userHeadersBytesAt(input, 0);
    this.#writePayload(out);
  }

  /** The next part of the payload of a message that was begun, and behind the last the message's end. */
  #writePayload(out: JsonBytes): void {
    const sizeBytes = Math.min(this.#payloadEnd - this.#position, pieceBytes);
    writePayload(out, this.#bytesAt(this.#position, sizeBytes), 0, sizeBytes);
    this.#position += sizeBytes;
    if (this.#position < this.#payloadEnd) return;
    const headersBytes = this.#messageEnd - this.#payloadEnd;
    this.#text.writeEnd(out, this.#bytesAt(this.#payloadEnd, headersBytes), 0, headersBytes);
    this.#position = this.#messageEnd;
    this.#payloadEnd = 0;
  }

  #bytesAt(position: number, sizeBytes: number): Uint8Array {
    const target = sizeBytes <= pieceBytes ? input.subarray(0, sizeBytes) : new Uint8Array(sizeBytes);
    if (this.#reader.readAt(position, target) < sizeBytes) throw cutError();
    return target;
  }
}

function cutError(): Error {
  return new Error("the last message of an answer is cut");
}
