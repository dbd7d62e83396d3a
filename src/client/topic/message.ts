// Messages as a program sends and gets them.

import type { HeadersInput, HeadersView } from "./headers.ts";

export type OutgoingMessage<In> = {
  readonly value: In;
  /** Where it goes; if not given, `key` says it, else the client. */
  readonly partitionId?: number;
  /** Chooses the partition: 1 to 255 bytes, text as UTF-8. Not stored, unless the producer has a `keyHeader`. */
  readonly key?: string | Uint8Array;
  readonly headers?: HeadersInput;
  /** Now, if not given. */
  readonly originTimestamp?: Date;
  /** 128 bits; the producer's own numbering if not given. */
  readonly id?: bigint;
};

/** What the server has taken. */
export type SendReceipt = {
  readonly messagesCount: number;
  /** Undefined where the server chose. */
  readonly partitionId: number | undefined;
  /** Undefined where the server does not say it, as Iggy 0.8. */
  readonly firstOffset: number | undefined;
  /** More than 1: sent again after an uncertain outcome; may be stored twice where the server does not deduplicate. */
  readonly attempts: number;
};

/** A message that was read. */
export interface Message<Out> {
  readonly value: Out;
  /** As stored, decrypted; a view of its batch, which it keeps in memory: `slice()` to keep one. */
  readonly payload: Uint8Array;
  readonly headers: HeadersView;
  readonly partitionId: number;
  /** Exact to 2^53. */
  readonly offset: number;
  /** UUID text. */
  readonly id: string;
  /** Server time of the append. */
  readonly timestampMicros: number;
  /** Time of the sender. */
  readonly originTimestampMicros: number;
  /** Was delivered to this consumer before. */
  readonly isRepeat: boolean;
}

/** Messages of one partition, in the order of their offsets. */
export interface Batch<Out> extends Iterable<Message<Out>> {
  readonly partitionId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly messagesCount: number;
}
