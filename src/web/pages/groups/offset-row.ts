// One stored offset, and whose it is.
import type { StoredOffsets } from "../../../client/console-client.ts";
import { groupWords } from "../../words/groups.ts";

export type OffsetRow = {
  readonly consumer: StoredOffsets;
  readonly partition: number;
  readonly stored: bigint;
  readonly end: bigint;
  /** Segments that it keeps from being removed. */
  readonly segments: number;
};

/** `consumer 7`, `group billing`. */
export function whoOf({ kind, id, name }: Pick<StoredOffsets, "kind" | "id" | "name">): string {
  return groupWords.offsets[kind](name ?? String(id));
}
