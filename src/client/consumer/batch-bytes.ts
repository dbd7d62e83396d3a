// The messages of one poll reply as they came: where each begins is found by walking over the sizes, nothing is made for a
// message before it is delivered (spec BP 3.7, 4.5).

import { IggyError } from "../../protocol/errors.ts";
import {
  MessageLayout,
  messageHeaderBytes,
  PollReplyLayout,
  pollReplyHeadBytes,
} from "../../protocol/message-layout.ts";

/** A run of messages in ascending order of their offsets. `bytes` is alive as long as one of them is. */
export class BatchBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly messagesCount: number;
  /** Where the first message begins. */
  readonly start: number;
  /** Of all messages. */
  readonly sizeBytes: number;
  /** Offset of the first and of the last message; 0 without messages. */
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Called when the last message was taken, or what is left is not wanted any more. */
  onTaken: (() => void) | undefined;

  /** InvalidFormat (4) if the messages are cut, or their offsets do not ascend. */
  constructor(bytes: Uint8Array, start: number, messagesCount: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.start = start;
    this.messagesCount = messagesCount;
    let at = start;
    let last = -1;
    for (let index = 0; index < messagesCount; index++) {
      if (at + messageHeaderBytes > bytes.length) throw new IggyError("InvalidFormat");
      const offset = this.offsetAt(at);
      if (offset <= last) throw new IggyError("InvalidFormat");
      last = offset;
      at = this.endOf(at);
    }
    if (at > bytes.length) throw new IggyError("InvalidFormat");
    this.sizeBytes = at - start;
    this.firstOffset = messagesCount === 0 ? 0 : this.offsetAt(start);
    this.lastOffset = Math.max(0, last);
  }

  /** Offset of the message that begins at `at`. */
  offsetAt(at: number): number {
    return unsignedAt(this.view, at + MessageLayout.offset);
  }

  /** End of the message that begins at `at`. */
  endOf(at: number): number {
    const { view } = this;
    const lengths =
      view.getUint32(at + MessageLayout.payloadLength, true) +
      view.getUint32(at + MessageLayout.userHeadersLength, true);
    return at + messageHeaderBytes + lengths;
  }
}

/** No messages. */
export const noMessages = new BatchBytes(new Uint8Array(0), 0, 0);

/** A 64-bit number as a double: exact to 2⁵³, and without a BigInt. */
export function unsignedAt(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/** Reads the head of a poll reply. InvalidFormat (4) if it is cut. */
export function readPollReply(bytes: Uint8Array): { partitionId: number; headOffset: number; messages: BatchBytes } {
  if (bytes.length < pollReplyHeadBytes) throw new IggyError("InvalidFormat");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    partitionId: view.getUint32(PollReplyLayout.partitionId, true),
    headOffset: unsignedAt(view, PollReplyLayout.currentOffset),
    messages: new BatchBytes(bytes, PollReplyLayout.messages, view.getUint32(PollReplyLayout.messagesCount, true)),
  };
}
