// The text of a poll's answer (spec HA 5.3), piece by piece, from the bytes of the messages without an object per message.
import { messageHeaderBytes } from "../../../protocol/message-layout.ts";
import type { PollReply } from "../../../server/index.ts";
import { ReplyReader } from "../../../shard/index.ts";
import { ascii, type JsonBytes } from "./json-bytes.ts";
import {
  payloadBytesAt,
  userHeadersBytesAt,
  writeMessageEnd,
  writeMessageStart,
  writeMessages,
  writePayload,
} from "./message-json.ts";

/** Messages are read in pieces of this size: a multiple of three, so that base64 can go on behind each. */
const pieceBytes = 96 * 1024;
/** A piece of text has little more than this, unless user headers make it longer. */
export const textBytesMax = 128 * 1024;

const answerEnd = ascii("]}");

/** Shared by all answers: only used inside one step. */
const input = new Uint8Array(pieceBytes);

/** What of a reply is shown; the caller keeps the read until the last piece is written. */
export interface AnswerSource {
  readonly partitionId: PollReply["partitionId"];
  readonly read: Omit<PollReply["read"], "release">;
}

/** The text of an answer, piece by piece. */
export class AnswerPieces {
  readonly #head: Uint8Array;
  readonly #reader: ReplyReader;
  readonly #sizeBytes: number;
  #position = 0;
  /** Of the message that is larger than a piece and was begun; 0: none. */
  #payloadEnd = 0;
  #messageEnd = 0;
  #isDone = false;

  constructor({ partitionId, read }: AnswerSource) {
    this.#head = ascii(
      `{"partition_id":${partitionId},"current_offset":${read.currentOffset},"count":${read.messagesCount},"messages":[`,
    );
    this.#reader = new ReplyReader(read.parts);
    this.#sizeBytes = read.sizeBytes;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Appends the next piece. Throws when the reply ends inside a message. */
  writeNext(out: JsonBytes): void {
    if (this.#position === 0) {
      out.reserve(this.#head.length);
      out.fragment(this.#head);
    }
    if (this.#payloadEnd !== 0) this.#writePayload(out);
    else if (this.#position < this.#sizeBytes) this.#writeMessages(out);
    if (this.#position < this.#sizeBytes) return;
    out.reserve(answerEnd.length);
    out.fragment(answerEnd);
    this.#isDone = true;
  }

  #writeMessages(out: JsonBytes): void {
    const usedBytes = this.#reader.readAt(this.#position, input);
    const isFirst = this.#position === 0;
    const endBytes = writeMessages(out, input, 0, usedBytes, isFirst, out.length + textBytesMax);
    this.#position += endBytes;
    if (endBytes > 0) return;
    if (usedBytes < messageHeaderBytes) throw cutError();
    // The message is larger than a piece.
    writeMessageStart(out, input, 0, isFirst);
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
    writeMessageEnd(out, this.#bytesAt(this.#payloadEnd, headersBytes), 0, headersBytes);
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
