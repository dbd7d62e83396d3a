// A position that was sought, stored for the group: whoever gets the partition next begins there.

import { IggyError } from "../../protocol/errors.ts";
import type { ConsumerCommands } from "./commands.ts";
import type { StartFrom } from "./cursor.ts";
import { storeIfPossible } from "./positions.ts";

/** Stores the offset before the position; where there is none, nothing is stored any more. */
export async function storeSought(commands: ConsumerCommands, partitionId: number, { from }: StartFrom): Promise<void> {
  const offset = from.kind === "offset" ? from.offset : await offsetAt(commands, partitionId, from.timestampMicros);
  if (offset > 0) {
    await storeIfPossible(commands, partitionId, offset - 1);
    return;
  }
  try {
    await commands.deleteOffset(partitionId);
  } catch (error) {
    const isThere = !(error instanceof IggyError && error.errorName === "ConsumerOffsetNotFound");
    if (isThere) throw error;
  }
}

/** Offset of the first message of that time or later; behind the head where there is none. */
async function offsetAt(commands: ConsumerCommands, partitionId: number, timestampMicros: bigint): Promise<number> {
  const from = { kind: "timestamp", timestampMicros } as const;
  const { messages, headOffset } = await commands.poll({ partitionId, from, count: 1, autoCommit: false });
  return messages.messagesCount > 0 ? messages.firstOffset : headOffset + 1;
}
