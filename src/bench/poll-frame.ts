// A poll messages frame that is built once; before each poll only offset and count are changed.

import { writeRequestHead } from "../client/index.ts";
import { encode } from "../protocol/codec.ts";
import { CommandCode } from "../protocol/codes.ts";
import { frameHeaderBytes } from "../protocol/frame.ts";
import { nameId, numericId } from "../protocol/identifier.ts";
import { type PollMessagesRequest, pollMessagesRequestCodec } from "../protocol/message/poll-messages.ts";
import { groupName, topicName } from "./batch.ts";

/** Where fields lie, counted from the end of the request (spec BP 4.5): offset u64, count u32, auto commit u8. */
const offsetFromEnd = 13;
const countFromEnd = 5;

export class PollFrame {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** A frame of SDK kind that polls partition 0 of the stream by offset, without commit. */
  constructor(streamName: string, consumerNumber: number) {
    this.bytes = requestFrame({
      consumer: { kind: "consumer", id: numericId(consumerNumber) },
      stream: nameId(streamName),
      topic: nameId(topicName),
      partitionId: 0,
      strategy: { kind: "offset", value: 0n },
      count: 0,
      autoCommit: false,
    });
    this.#view = new DataView(this.bytes.buffer);
  }

  /** The next poll starts at `offset` (below 2^53) and asks for `count` messages. */
  set(offset: number, count: number): void {
    const position = this.bytes.length - offsetFromEnd;
    this.#view.setUint32(position, offset >>> 0, true);
    this.#view.setUint32(position + 4, Math.floor(offset / 2 ** 32), true);
    this.#view.setUint32(this.bytes.length - countFromEnd, count, true);
  }
}

/** A frame of SDK kind that polls the next messages of a member of the bench's group, with commit. */
export function groupPollFrame(streamName: string, count: number): Uint8Array {
  return requestFrame({
    consumer: { kind: "group", id: nameId(groupName) },
    stream: nameId(streamName),
    topic: nameId(topicName),
    partitionId: undefined,
    strategy: { kind: "next", value: 0n },
    count,
    autoCommit: true,
  });
}

function requestFrame(request: PollMessagesRequest): Uint8Array {
  const payload = encode(pollMessagesRequestCodec, request);
  const frame = new Uint8Array(frameHeaderBytes + payload.length);
  writeRequestHead(frame, CommandCode.pollMessages, payload.length, "sdk");
  frame.set(payload, frameHeaderBytes);
  return frame;
}
