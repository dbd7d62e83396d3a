// What a program can choose, and what it is told.

import type { IggyError } from "../../protocol/errors.ts";
import type { Abortable } from "../options.ts";

/** `first`: the oldest message that is there. `new`: what is sent from now on. */
export type StartPosition = "first" | "new" | { readonly offset: number } | { readonly timestamp: Date };

/** `handled` is `{ everyMs: 1_000, everyMessages: 1_000 }`. `before-delivery` loses what was polled and not handled in a crash. */
export type CommitPolicy =
  | "handled"
  | "each"
  | "manual"
  | "before-delivery"
  | { readonly everyMs: number; readonly everyMessages: number };

export type PartitionsListener = (partitionIds: readonly number[]) => void | Promise<void>;

/** What may lie ready and be in hand at the same time. */
export interface PrefetchLimits {
  readonly messages: number;
  readonly bytes: number;
}

export interface ConsumerSettings extends Abortable {
  /** In partitions without a stored offset ("first"). */
  readonly start?: StartPosition;
  readonly commit?: CommitPolicy;
  /** What may lie ready (1_000 messages, 4 MiB); a member of a group polls no more than was handled in the last second. */
  readonly prefetch?: Partial<PrefetchLimits>;
  /** Leaves out what a producer of this package stored twice, as far as this consumer has seen (false). */
  readonly dropRepeats?: boolean;
  /** What becomes of a message whose value does not decode ("throw"). */
  readonly onInvalid?: "throw" | "skip";
  /** Partitions that came. Nothing of them is read before the listener is done. */
  readonly onAssigned?: PartitionsListener;
  /** Partitions that are to go: awaited; when what was polled is handled they are committed and let go. */
  readonly onRevoking?: PartitionsListener;
  /** Partitions that are gone without that: the rest of what was polled is dropped, and comes again to somebody else. */
  readonly onLost?: PartitionsListener;
}

/** A member of a group, which is made if missing; or a consumer by name, of all partitions or some. */
export type ConsumerOptions = ConsumerSettings &
  (
    | { readonly group: string; readonly createGroup?: boolean }
    | { readonly name: string; readonly partitions?: readonly number[] }
  );

/** The next offset of each partition: plain JSON. A partition that it does not name begins with its first message. */
export type Position = { readonly [partitionId: number]: number };

export interface ReaderOptions extends Abortable {
  /** "first" */
  readonly from?: StartPosition | Position;
  /** All, also those that are added. */
  readonly partitions?: readonly number[];
  /** false: ends at what was the head at the start. */
  readonly follow?: boolean;
}

export interface PartitionProgress {
  readonly isPaused: boolean;
  /** Offset of the newest message that is known of; 0 may mean none or one (spec SB 4.2). */
  readonly headOffset?: number;
  /** Messages from the last handled one to the head. */
  readonly lag?: number;
  readonly deliveredOffset?: number;
  readonly handledOffset?: number;
  readonly committedOffset?: number;
}

export type ConsumerEvent =
  | { readonly kind: "assigned" | "revoking" | "lost"; readonly partitionIds: readonly number[] }
  | { readonly kind: "disconnected" | "rejoined" }
  | { readonly kind: "committed"; readonly offsets: ReadonlyMap<number, number> }
  | { readonly kind: "commit-failed" | "leave-failed"; readonly error: IggyError }
  /** Messages that are gone: removed by retention (`gap`), or with all others of the partition (`reset`, a purge). */
  | {
      readonly kind: "gap" | "reset";
      readonly partitionId: number;
      readonly fromOffset: number;
      readonly toOffset: number;
    }
  /** A message that was skipped, because its value does not decode. */
  | { readonly kind: "invalid"; readonly partitionId: number; readonly offset: number; readonly error: unknown };
