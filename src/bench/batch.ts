// The payload of a send that is built once and sent again and again; before each send only the origin timestamps are
// renewed, as the original's tool does (spec SB 11.2). Nothing here makes an object for a message.

import { nameId } from "../protocol/identifier.ts";
import { encodeSendMessages } from "../protocol/message/send-messages.ts";
import { MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";

/** Names of an actor's stream and topic, the same as in the original's tool. */
export function streamNameOf(actorIndex: number): string {
  return `bench-stream-${actorIndex + 1}`;
}
export const topicName = "topic-1";
/** The group of a run with members. */
export const groupName = "bench-group-1";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The payload of every message of a run: letters and digits from a fixed seed, so that a consumer knows it too. */
export function payloadOf(sizeBytes: number): Uint8Array {
  const payload = new Uint8Array(sizeBytes);
  let state = 0x9e3779b9;
  for (let index = 0; index < sizeBytes; index++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    payload[index] = letters.charCodeAt((state >>> 0) % letters.length);
  }
  return payload;
}

export class BatchPayload {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #firstTimestampPosition: number;
  readonly #messageSizeBytes: number;
  readonly #messagesCount: number;

  /** For partition 0 of the stream, or for the one that the server chooses. */
  constructor(
    streamName: string,
    messagesCount: number,
    payloadSizeBytes: number,
    placement: "pinned" | "balanced" = "pinned",
  ) {
    const message = { payload: payloadOf(payloadSizeBytes) };
    this.bytes = encodeSendMessages({
      stream: nameId(streamName),
      topic: nameId(topicName),
      partitioning: placement === "balanced" ? { kind: "balanced" } : { kind: "partition", partitionId: 0 },
      messages: new Array<typeof message>(messagesCount).fill(message),
    });
    const { buffer, byteOffset, byteLength } = this.bytes;
    this.#view = new DataView(buffer, byteOffset, byteLength);
    this.#messagesCount = messagesCount;
    this.#messageSizeBytes = messageHeaderBytes + payloadSizeBytes;
    const messagesPosition = this.bytes.length - messagesCount * this.#messageSizeBytes;
    this.#firstTimestampPosition = messagesPosition + MessageLayout.originTimestamp;
  }

  /** Writes the origin timestamp of every message. It must not be on its way out. */
  renew(timestampMicros: number): void {
    const micros = Math.floor(timestampMicros);
    const low = micros >>> 0;
    const high = Math.floor(micros / 2 ** 32);
    let position = this.#firstTimestampPosition;
    for (let index = 0; index < this.#messagesCount; index++) {
      this.#view.setUint32(position, low, true);
      this.#view.setUint32(position + 4, high, true);
      position += this.#messageSizeBytes;
    }
  }
}
