// What may be seen of a partition without reading its messages: where it begins and ends, its segments, and what is stored for its
// consumers. Of the moment; nothing here changes anything.

import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import type { ConsumerOffsets, StoredConsumer } from "./offsets.ts";
import type { PartitionLog } from "./partition-log.ts";
import type { Segment } from "./segment.ts";

export interface SegmentView {
  readonly startOffset: number;
  /** Behind the last message that readers may see. */
  readonly endOffset: number;
  readonly sizeBytes: number;
  /** µs; undefined while there is no message that readers may see. */
  readonly firstTimestampMicros: number | undefined;
  readonly lastTimestampMicros: number | undefined;
  /** Nothing is appended to it any more. */
  readonly isSealed: boolean;
}

/** What is known of a group. */
export interface GroupView {
  /** Undefined: nothing is stored. */
  readonly storedOffset: number | undefined;
  /** The last offset that a member was sent and has not committed; undefined: there is none, or nobody knows since the start. */
  readonly polledOffset: number | undefined;
  /** When the offset was stored; undefined: before the start of the process. */
  readonly storedAtMicros: number | undefined;
}

export class PartitionView {
  readonly #log: PartitionLog;
  readonly #offsets: ConsumerOffsets;

  constructor(log: PartitionLog, offsets: ConsumerOffsets) {
    this.#log = log;
    this.#offsets = offsets;
  }

  /** Of the oldest message that is kept; `endOffset` where there is none. */
  get firstOffset(): number {
    return Math.min(this.#log.segments[0]!.startOffset, this.endOffset);
  }

  /** Behind the newest message that readers may see. */
  get endOffset(): number {
    return this.#log.visibleOffset;
  }

  /** Whether appends are refused because the disk or a rule of our own failed. */
  get isFenced(): boolean {
    return this.#log.isFenced;
  }

  /**
   * When the message at `offset` was stored, by the index, µs; undefined: there is none. Throws `CannotReadFile` (10002), and
   * `CannotReadIndexPosition` where the index is shorter than it should be.
   */
  timestampAt(offset: number): number | undefined {
    if (offset < this.firstOffset || offset >= this.endOffset) return undefined;
    const segment = this.#log.segments[this.#log.segmentIndexOf(offset)]!;
    const row = offset - segment.startOffset;
    return row < this.#log.visibleRows(segment) ? readable(() => segment.index.timestampMicros(row)) : undefined;
  }

  group(groupId: number): GroupView {
    const consumer = { kind: "group", id: groupId } as const;
    return {
      storedOffset: this.#offsets.get(consumer),
      polledOffset: this.#offsets.lastPolledOf(groupId),
      storedAtMicros: this.#offsets.storedAtMicros(consumer),
    };
  }

  /** Every consumer and group of which an offset is stored. */
  stored(): Iterable<StoredConsumer> {
    return this.#offsets.all();
  }

  /**
   * Up to `countMax` segments, oldest first, those that start behind `afterOffset`. Throws `CannotReadFile` (10002), and
   * `CannotReadIndexPosition` where an index is shorter than it should be.
   */
  segments(afterOffset: number, countMax: number): SegmentView[] {
    const { segments } = this.#log;
    const first = segments.findIndex(({ startOffset }) => startOffset > afterOffset);
    if (first < 0) return [];
    return readable(() => segments.slice(first, first + countMax).map((segment) => this.#segment(segment)));
  }

  #segment(segment: Segment): SegmentView {
    const { startOffset, logSizeBytes, index, lastTimestampMicros } = segment;
    const rows = this.#log.visibleRows(segment);
    return {
      startOffset,
      endOffset: startOffset + rows,
      sizeBytes: Math.max(logSizeBytes, segment.acceptedSizeBytes),
      firstTimestampMicros: rows === 0 ? undefined : index.timestampMicros(0),
      lastTimestampMicros: rows === 0 ? undefined : lastTimestampMicros,
      isSealed: segment !== this.#log.active,
    };
  }
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    throw new IggyError("CannotReadFile", [], { cause: thrown });
  }
}
