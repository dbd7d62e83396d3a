// A message that was read, over the bytes of its batch: what is not asked for is not decoded.

import { MessageLayout, messageHeaderBytes } from "../../protocol/message-layout.ts";
import { type ReadMessageId, readMessageId } from "../producer/message-ids.ts";
import { EncodedHeaders, type HeadersView } from "../topic/headers.ts";
import type { Batch, Message } from "../topic/message.ts";
import { type BatchBytes, unsignedAt } from "./batch-bytes.ts";

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** Bytes of an id behind which a UUID has a hyphen, from the most significant one. */
const hyphensBehind = new Set([3, 5, 7, 9]);

/** What a message belongs to: its partition, in one reading of it. After a seek or a loss it counts for nothing (cursor.ts). */
export interface MessageSource {
  readonly partitionId: number;
  readonly generation: number;
  readonly isGone: boolean;
  /** Aborts when the partition is lost. */
  readonly lostSignal: AbortSignal;
}

export class ReceivedMessage<Out> implements Message<Out> {
  /** Set when it was decoded, before anybody sees the message. */
  value!: Out;
  readonly offset: number;
  isRepeat = false;
  readonly source: MessageSource;
  readonly generation: number;
  /** Of the whole message. */
  readonly sizeBytes: number;
  readonly #batch: BatchBytes;
  readonly #at: number;
  #payload: Uint8Array | undefined;
  #headersBytes: Uint8Array | undefined;
  #headers: HeadersView | undefined;

  constructor(source: MessageSource, batch: BatchBytes, at: number, end: number) {
    this.source = source;
    this.generation = source.generation;
    this.offset = batch.offsetAt(at);
    this.sizeBytes = end - at;
    this.#batch = batch;
    this.#at = at;
  }

  get partitionId(): number {
    return this.source.partitionId;
  }

  /** Whether the reading that it belongs to still counts. */
  get isCurrent(): boolean {
    return this.generation === this.source.generation && !this.source.isGone;
  }

  get payload(): Uint8Array {
    this.#payload ??= this.#batch.bytes.subarray(this.#at + messageHeaderBytes, this.#payloadEnd);
    return this.#payload;
  }

  /** The encoded block. */
  get headersBytes(): Uint8Array {
    this.#headersBytes ??= this.#batch.bytes.subarray(this.#payloadEnd, this.#at + this.sizeBytes);
    return this.#headersBytes;
  }

  get headers(): HeadersView {
    this.#headers ??= new EncodedHeaders(this.headersBytes);
    return this.#headers;
  }

  /** Puts decrypted bytes in the place of those that were stored. */
  replace(payload: Uint8Array, headersBytes: Uint8Array): void {
    this.#payload = payload;
    this.#headersBytes = headersBytes;
  }

  get id(): string {
    const { bytes } = this.#batch;
    let text = "";
    for (let index = 0; index < 16; index++) {
      text += hex[bytes[this.#at + MessageLayout.id + 15 - index]!];
      if (hyphensBehind.has(index)) text += "-";
    }
    return text;
  }

  /** What the id says, if it was made by a producer of this package. */
  get numbering(): ReadMessageId | undefined {
    return readMessageId(this.#batch.bytes, this.#at + MessageLayout.id);
  }

  get timestampMicros(): number {
    return unsignedAt(this.#batch.view, this.#at + MessageLayout.timestamp);
  }

  get originTimestampMicros(): number {
    return unsignedAt(this.#batch.view, this.#at + MessageLayout.originTimestamp);
  }

  get #payloadEnd(): number {
    const length = this.#batch.view.getUint32(this.#at + MessageLayout.payloadLength, true);
    return this.#at + messageHeaderBytes + length;
  }
}

/** Messages of one partition that are delivered together. */
export class ReceivedBatch<Out> implements Batch<Out> {
  readonly messages: readonly ReceivedMessage<Out>[];

  /** At least one message. */
  constructor(messages: readonly ReceivedMessage<Out>[]) {
    this.messages = messages;
  }

  get partitionId(): number {
    return this.messages[0]!.partitionId;
  }

  get firstOffset(): number {
    return this.messages[0]!.offset;
  }

  get lastOffset(): number {
    return this.messages[this.messages.length - 1]!.offset;
  }

  get messagesCount(): number {
    return this.messages.length;
  }

  [Symbol.iterator](): Iterator<ReceivedMessage<Out>> {
    return this.messages[Symbol.iterator]();
  }
}
