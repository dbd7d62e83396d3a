// The text of a poll's answer (spec HA 5.3), piece by piece.
import type { PollReply } from "../../../server/index.ts";
import { ascii, type JsonBytes } from "./json-bytes.ts";
import { writeMessageEnd, writeMessageStart, writeMessages } from "./message-json.ts";
import { MessagePieces, type MessageText, textBytesMax } from "./message-pieces.ts";

const answerEnd = ascii("]}");

const answerText: MessageText = {
  writeWhole: (out, bytes, usedBytes, isFirst) =>
    writeMessages(out, bytes, 0, usedBytes, isFirst, out.length + textBytesMax),
  writeStart: (out, bytes, isFirst) => writeMessageStart(out, bytes, 0, isFirst),
  writeEnd: writeMessageEnd,
};

/** What of a reply is shown; the caller keeps the read until the last piece is written. */
export interface AnswerSource {
  readonly partitionId: PollReply["partitionId"];
  readonly read: Omit<PollReply["read"], "release">;
}

export class AnswerPieces {
  /** Undefined when it is written. */
  #head: Uint8Array | undefined;
  readonly #messages: MessagePieces;
  #isDone = false;

  constructor({ partitionId, read }: AnswerSource) {
    this.#head = ascii(
      `{"partition_id":${partitionId},"current_offset":${read.currentOffset},"count":${read.messagesCount},"messages":[`,
    );
    this.#messages = new MessagePieces(read, answerText);
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Appends the next piece. Throws when the reply ends inside a message. */
  writeNext(out: JsonBytes): void {
    if (this.#head !== undefined) {
      out.reserve(this.#head.length);
      out.fragment(this.#head);
      this.#head = undefined;
    }
    this.#messages.writeNext(out);
    if (!this.#messages.isDone) return;
    out.reserve(answerEnd.length);
    out.fragment(answerEnd);
    this.#isDone = true;
  }
}
