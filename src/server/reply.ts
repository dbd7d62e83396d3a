// What a request is answered with, before it is bytes of a frame.
import type { ShardRead } from "../shard/index.ts";

/** Messages that are not in memory yet: head values and the parts to send behind them. */
export interface PollReply {
  readonly partitionId: number;
  readonly read: ShardRead;
  /** What stands before the poll's own head, in replies of a poll that waits. */
  readonly prefix?: Uint8Array;
}

/** Payload of a successful reply. */
export type Reply = Uint8Array | PollReply;

/** The empty payload: also the answer for a missing object (spec BP 2.2). */
export const emptyReply = new Uint8Array(0);

export function isPollReply(reply: Reply): reply is PollReply {
  return !(reply instanceof Uint8Array);
}
