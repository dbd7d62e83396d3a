// Where the replies of one connection go. One implementation per transport.
import type { ReplyPart } from "../shard/index.ts";

/** Bytes that are made when they are sent, and again where the client did not take them: a slow one costs no memory. */
export interface MadePart {
  readonly kind: "made";
  readonly sizeBytes: number;
  /** A view of some bytes of the part from `position` on, one at least; valid until the next call of any part. */
  bytesFrom(position: number): Uint8Array;
}

export type OutputPart = ReplyPart | MadePart;

export interface Output {
  /** Whether everything has been handed to the operating system: only then another request is taken. */
  readonly isEmpty: boolean;
  /** Sends one whole reply, or keeps a copy. The caller may reuse `bytes` afterwards. */
  write(bytes: Uint8Array): void;
  /** Sends one reply: `head`, which the caller may reuse, then the parts; `done` is called when they are no longer needed. */
  writeParts(head: Uint8Array, parts: readonly OutputPart[], done: () => void): void;
  /** Gives everything up. */
  close(): void;
}
