// The payload of a poll that is built once; before each poll only offset and count are changed.

import { encode } from "../protocol/codec.ts";
import { nameId, numericId } from "../protocol/identifier.ts";
import { pollMessagesRequestCodec } from "../protocol/message/poll-messages.ts";
import { groupName, topicName } from "./batch.ts";

/** Where fields lie, counted from the end of the request (spec BP 4.5): offset u64, count u32, auto commit u8. */
const offsetFromEnd = 13;
const countFromEnd = 5;

export class PollPayload {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** Polls partition 0 of the stream by offset, without commit. */
  constructor(streamName: string, consumerNumber: number) {
    this.bytes = encode(pollMessagesRequestCodec, {
      consumer: { kind: "consumer", id: numericId(consumerNumber) },
      stream: nameId(streamName),
      topic: nameId(topicName),
      partitionId: 0,
      strategy: { kind: "offset", value: 0n },
      count: 0,
      autoCommit: false,
    });
    const { buffer, byteOffset, byteLength } = this.bytes;
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  /** The next poll starts at `offset` (below 2^53) and asks for `count` messages. */
  set(offset: number, count: number): void {
    const position = this.bytes.length - offsetFromEnd;
    this.#view.setUint32(position, offset >>> 0, true);
    this.#view.setUint32(position + 4, Math.floor(offset / 2 ** 32), true);
    this.#view.setUint32(this.bytes.length - countFromEnd, count, true);
  }
}

/** Polls the next messages of a member of the bench's group, with commit. */
export function groupPollPayload(streamName: string, count: number): Uint8Array {
  return encode(pollMessagesRequestCodec, {
    consumer: { kind: "group", id: nameId(groupName) },
    stream: nameId(streamName),
    topic: nameId(topicName),
    partitionId: undefined,
    strategy: { kind: "next", value: 0n },
    count,
    autoCommit: true,
  });
}
