// Where reading of a partition begins: behind the stored offset, or where the program said.

import { IggyError } from "../../protocol/errors.ts";
import type { ConsumerCommands } from "./commands.ts";
import type { StartFrom } from "./cursor.ts";
import type { StartPosition } from "./options.ts";

export interface OpenedAt extends StartFrom {
  readonly committedOffset?: number;
}

type PositionCommands = Pick<ConsumerCommands, "poll" | "storedOffset" | "storeOffset">;

const fromOffset = (offset: number, isExact: boolean): StartFrom => ({ from: { kind: "offset", offset }, isExact });

/** Start of a partition of which nothing is stored. */
export async function startFrom(
  commands: PositionCommands,
  partitionId: number,
  start: StartPosition,
): Promise<StartFrom> {
  if (start === "first") return fromOffset(0, false);
  if (start === "new") return fromOffset(await behindHead(commands, partitionId), true);
  if ("offset" in start) return fromOffset(start.offset, false);
  return { from: { kind: "timestamp", timestampMicros: BigInt(start.timestamp.getTime()) * 1_000n }, isExact: false };
}

/** Offset of the next message that is appended. A head of 0 may mean none or one, which is then read (spec SB 4.2). */
export async function behindHead(commands: PositionCommands, partitionId: number): Promise<number> {
  const from = { kind: "offset", offset: 0 } as const;
  const { headOffset } = await commands.poll({ partitionId, from, count: 0, autoCommit: false });
  if (headOffset > 0) return headOffset + 1;
  const { messages } = await commands.poll({ partitionId, from, count: 1, autoCommit: false });
  return messages.messagesCount === 0 ? 0 : messages.lastOffset + 1;
}

export interface OpenOptions {
  readonly start: StartPosition;
  /** Handled before the connection was lost: stored now, if nobody is further. */
  readonly handledBefore: number | undefined;
  /** Whether another member may take over: then "new" is stored, or what is sent meanwhile would be passed over. */
  readonly isShared: boolean;
}

/** Where a consumer with stored offsets goes on. */
export async function openStored(
  commands: PositionCommands,
  partitionId: number,
  { start, handledBefore, isShared }: OpenOptions,
): Promise<OpenedAt> {
  let stored = await commands.storedOffset(partitionId);
  if (handledBefore !== undefined && handledBefore > (stored ?? -1)) {
    if (await storeIfPossible(commands, partitionId, handledBefore)) stored = handledBefore;
  }
  if (stored !== undefined) return { ...fromOffset(stored + 1, true), committedOffset: stored };
  const opened = await startFrom(commands, partitionId, start);
  if (!isShared || start !== "new" || opened.from.kind !== "offset" || opened.from.offset === 0) return opened;
  const committedOffset = opened.from.offset - 1;
  return (await storeIfPossible(commands, partitionId, committedOffset)) ? { ...opened, committedOffset } : opened;
}

/** False: the partition was purged meanwhile, or belongs to somebody else now, which the next poll tells. */
export async function storeIfPossible(
  commands: Pick<ConsumerCommands, "storeOffset">,
  partitionId: number,
  offset: number,
): Promise<boolean> {
  try {
    await commands.storeOffset(partitionId, offset);
    return true;
  } catch (error) {
    if (
      error instanceof IggyError &&
      (error.errorName === "InvalidOffset" || error.errorName === "NotResolvedConsumer")
    ) {
      return false;
    }
    throw error;
  }
}
