// What goes over /ui/live: the page opens channels and gives them credit, the broker sends what happens. Text frames are JSON; a
// binary frame is the number of its channel (u32, little-endian) and the payload of a reply to poll messages. Offsets are decimal
// text.

import type { GroupLag, GroupPlace, Groups, GroupsQuery } from "./groups.ts";
import type { MetricValues } from "./history.ts";
import type { LogFollowArgs, LogTail } from "./log.ts";

/** Messages of partitions as they come; binary frames. */
export type TailArgs = {
  readonly stream: string;
  readonly topic: string;
  /** All, if absent. */
  readonly partitions?: readonly number[];
  /** By partition, the offset to begin with; others, and all if absent, begin behind their newest message. */
  readonly from?: Readonly<Record<string, string>>;
};

/** Text in a payload, ASCII and whatever its case, or a header with a value, as text. */
export type ScanTerm = { readonly text: string } | { readonly header: string; readonly value: string };

/** A part of a partition is looked through at the broker: only messages with all of these come to the page. */
export type ScanArgs = {
  readonly stream: string;
  readonly topic: string;
  readonly partition: number;
  /** First and last offset. */
  readonly from: string;
  readonly to: string;
  readonly all: readonly ScanTerm[];
};

/**
 * Changes of streams, topics, groups and users, as far as the user may see them, and numbers of the broker every 5 s: these need
 * no credit.
 */
export type LiveRequest =
  | { readonly op: "open"; readonly id: number; readonly channel: "changes" | "metrics" }
  | {
      readonly op: "open";
      readonly id: number;
      readonly channel: "tail";
      readonly args: TailArgs;
      readonly credit: number;
    }
  /** One group, every 2 s, and all of them, every 5 s; no credit either. */
  | { readonly op: "open"; readonly id: number; readonly channel: "lag"; readonly args: GroupPlace }
  | { readonly op: "open"; readonly id: number; readonly channel: "groups"; readonly args: GroupsQuery }
  /** Lines of the log as they come; no credit. */
  | { readonly op: "open"; readonly id: number; readonly channel: "log"; readonly args: LogFollowArgs }
  /** One look; what fits comes as one binary frame, then `scanned`, and the channel is over. */
  | { readonly op: "open"; readonly id: number; readonly channel: "scan"; readonly args: ScanArgs }
  /** So many more batches may come. */
  | { readonly op: "credit"; readonly id: number; readonly n: number }
  | { readonly op: "close"; readonly id: number };

export type ChangeKind = "stream" | "topic" | "group" | "user";

/** Something of the kind is new, different or gone; `streamId`: absent where it is of none, or of several. */
export type Change = { readonly kind: ChangeKind; readonly streamId?: number };

export type Scanned = {
  /** Messages and bytes that were looked at. */
  readonly scanned: number;
  readonly bytes: number;
  /** The first offset that was not; the range is done where it is behind its end, or nothing was there. */
  readonly next: string;
  /** Times of the first and last message, in µs; 0 without one. */
  readonly firstMicros: string;
  readonly lastMicros: string;
};

export type LiveReply =
  | ({ readonly id: number; readonly type: "scanned" } & Scanned)
  | ({ readonly id: number; readonly type: "data" } & Change)
  | { readonly id: number; readonly type: "metrics"; readonly at: string; readonly values: MetricValues }
  | { readonly id: number; readonly type: "lag"; readonly value: GroupLag }
  | { readonly id: number; readonly type: "groups"; readonly value: Groups }
  | { readonly id: number; readonly type: "log"; readonly value: LogTail }
  /** A reader that is too slow does not get these. */
  | {
      readonly id: number;
      readonly type: "skip";
      readonly partition: number;
      readonly from: string;
      readonly to: string;
    }
  /** The partition was purged: offsets begin anew. */
  | { readonly id: number; readonly type: "purged"; readonly partition: number }
  /** The channel is over; `error`: why, unless the page closed it. Number and text of the error table. */
  | { readonly id: number; readonly type: "end"; readonly error: { readonly code: number; readonly reason: string } };

/** Channels of one socket, partitions of one tail, and batches for which a channel may have credit. */
export const liveLimits = { channels: 8, partitions: 32, credit: 64 } as const;

/** Of one look: it ends behind so many messages or bytes, or bytes that were found. `running`: looks at once, of all pages. */
export const scanBounds = {
  messages: 10_000,
  bytes: 8 * 1024 * 1024,
  foundBytes: 1024 * 1024,
  terms: 16,
  running: 2,
} as const;
