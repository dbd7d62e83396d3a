// Where the replies of one connection go. One implementation per transport.
import type { ReplyPart } from "../shard/index.ts";

export interface Output {
  /** Whether everything has been handed to the operating system: only then another request is taken. */
  readonly isEmpty: boolean;
  /** Sends one whole reply, or keeps a copy. The caller may reuse `bytes` afterwards. */
  write(bytes: Uint8Array): void;
  /** Sends one reply: `head`, which the caller may reuse, then the parts; `done` is called when they are no longer needed. */
  writeParts(head: Uint8Array, parts: readonly ReplyPart[], done: () => void): void;
  /** Gives everything up. */
  close(): void;
}
