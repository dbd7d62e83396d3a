// What a consumer looks at in a poll reply: offsets one after the other, lengths of all messages, checksum and content of
// a sample. It walks the bytes with numbers (offsets are exact up to 2^53), without an object or BigInt for a message.

import { MessageLayout, messageHeaderBytes, PollReplyLayout } from "../protocol/message-layout.ts";

/** Pause after an empty poll, so that waiting does not take the cores away from what is measured. */
export const emptyPollPauseMs = 1;

/** What was found; everything but `messages` and `sampled` should stay 0. */
export type CheckCounts = {
  messages: number;
  /** Messages whose checksum and content were compared. */
  sampled: number;
  /** Offsets that were skipped. */
  gaps: number;
  /** Messages with an offset that had come before. */
  duplicates: number;
  /** Payloads of another length. */
  wrongLengths: number;
  /** Sampled messages with a wrong checksum or content, and replies that end inside a message. */
  damaged: number;
};

export function newCheckCounts(): CheckCounts {
  return { messages: 0, sampled: 0, gaps: 0, duplicates: 0, wrongLengths: 0, damaged: 0 };
}

export function addCheckCounts(total: CheckCounts, other: CheckCounts): void {
  total.messages += other.messages;
  total.sampled += other.sampled;
  total.gaps += other.gaps;
  total.duplicates += other.duplicates;
  total.wrongLengths += other.wrongLengths;
  total.damaged += other.damaged;
}

/** Whether something was found that must not be. */
export function hasFaults(counts: CheckCounts): boolean {
  return counts.gaps + counts.duplicates + counts.wrongLengths + counts.damaged > 0;
}

function readU64(view: DataView, position: number): number {
  return view.getUint32(position, true) + view.getUint32(position + 4, true) * 2 ** 32;
}

/** Number of messages that the reply says it holds. */
export function messagesCountOf(reply: Uint8Array): number {
  return viewOf(reply).getUint32(PollReplyLayout.messagesCount, true);
}

/** Partition that the messages are of. */
export function partitionIdOf(reply: Uint8Array): number {
  return viewOf(reply).getUint32(PollReplyLayout.partitionId, true);
}

/** Offset of the first message; the reply has at least one. */
export function firstOffsetOf(reply: Uint8Array): number {
  return readU64(viewOf(reply), PollReplyLayout.messages + MessageLayout.offset);
}

/** Origin timestamp of the first message; the reply has at least one. */
export function firstOriginMicros(reply: Uint8Array): number {
  return readU64(viewOf(reply), PollReplyLayout.messages + MessageLayout.originTimestamp);
}

function viewOf(reply: Uint8Array): DataView {
  return new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
}

export class PollChecker {
  readonly counts: CheckCounts = newCheckCounts();
  readonly #payload: Uint8Array;

  /** `payload` is what every message should hold. */
  constructor(payload: Uint8Array) {
    this.#payload = payload;
  }

  /**
   * Checks a reply whose first offset should be `expectedOffset`; its first message is the sample. Returns the offset
   * after the last message.
   */
  check(reply: Uint8Array, expectedOffset: number): number {
    const view = viewOf(reply);
    const messagesCount = view.getUint32(PollReplyLayout.messagesCount, true);
    const { counts } = this;
    let nextOffset = expectedOffset;
    let position: number = PollReplyLayout.messages;
    for (let index = 0; index < messagesCount; index++) {
      if (position + messageHeaderBytes > reply.length) {
        counts.damaged++;
        return nextOffset;
      }
      const payloadBytes = view.getUint32(position + MessageLayout.payloadLength, true);
      const headersBytes = view.getUint32(position + MessageLayout.userHeadersLength, true);
      const end = position + messageHeaderBytes + payloadBytes + headersBytes;
      if (end > reply.length) {
        counts.damaged++;
        return nextOffset;
      }
      counts.messages++;
      if (payloadBytes !== this.#payload.length || headersBytes !== 0) counts.wrongLengths++;
      const offset = readU64(view, position + MessageLayout.offset);
      if (offset < nextOffset) {
        counts.duplicates++;
      } else {
        counts.gaps += offset - nextOffset;
        nextOffset = offset + 1;
      }
      if (index === 0) this.#sample(reply, view, position, end);
      position = end;
    }
    if (position !== reply.length) counts.damaged++;
    return nextOffset;
  }

  #sample(reply: Uint8Array, view: DataView, position: number, end: number): void {
    const { counts } = this;
    counts.sampled++;
    const checksum = BigInt(Bun.hash.xxHash3(reply.subarray(position + MessageLayout.checksumStart, end)));
    const payload = reply.subarray(position + MessageLayout.payload, end);
    const isWhole =
      checksum === view.getBigUint64(position + MessageLayout.checksum, true) &&
      (payload.length !== this.#payload.length || Buffer.compare(payload, this.#payload) === 0);
    if (!isWhole) counts.damaged++;
  }
}
