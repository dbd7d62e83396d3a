// The batch kernel: everything that touches each message of a batch, as a few calls per batch and none per message.
//
// Two implementations, held equal by a property test that compares every byte:
// - WasmBatchKernel: WebAssembly with SIMD, in place in the memory that the socket wrote to and the disk reads from.
// - JsBatchKernel: plain TypeScript over any bytes; for frames too large for the shared memory, and for simulations.
//
// Positions are byte positions in the kernel's memory; offsets, times and segment positions are whole numbers below 2^53.
// Whatever the bytes hold, a call reads and writes only the ranges that it was given; a range outside the memory is a
// fault of the caller and throws an AssertionError. Ranges of a call must not overlap, unless the call says how they may.

/** Why a scan stopped; see `BatchKernel.scan`. */
export type ScanStop = "end" | "incomplete" | "corrupt" | "full";

/** What a scan found: `messagesCount` valid messages in the first `validBytes` bytes. */
export interface ScanResult {
  readonly messagesCount: number;
  readonly validBytes: number;
  readonly stop: ScanStop;
}

/** What `packRecords` did: `messagesCount` messages, the first `usedBytes` bytes, are `writtenBytes` bytes of records. */
export interface PackResult {
  readonly usedBytes: number;
  readonly writtenBytes: number;
  readonly messagesCount: number;
}

/**
 * The work on whole batches (spec BP 3.7, 3.8, 3.10; SB 3.2, 3.3, 4.1, 4.2; P9 8.2, 8.5). Calls are synchronous and keep
 * nothing.
 */
export interface BatchKernel {
  /**
   * 0 when a client's batch is well-formed, else the error code of spec BP 4.5 step 9: 4009, 4031, 4032, 4033, 4022, 4017,
   * 4100, 10011 or 4036, the first that the original finds. Changes nothing.
   */
  validate(rowsPosition: number, messagesCount: number, messagesPosition: number, messagesSizeBytes: number): number;

  /**
   * Stamps every message of a valid batch in place: offset, timestamp, a random version-4 UUID where the id is 0, 0 in the
   * reserved field, checksum. Turns the client's rows into rows of the segment's index file: relative offset, end position
   * in the segment, timestamp.
   *
   * Throws an AssertionError when the batch is not valid; it may be half stamped then and must not be used.
   */
  stamp(
    rowsPosition: number,
    messagesCount: number,
    messagesPosition: number,
    messagesSizeBytes: number,
    firstOffset: number,
    segmentStartOffset: number,
    segmentPosition: number,
    timestampMicros: number,
  ): void;

  /**
   * Walks whole, checksum-valid messages with consecutive offsets from `firstOffset` and writes one index row for each at
   * `rowsPosition`, which has room for `rowsMax` rows. Stops
   * - at the `end` of the bytes;
   * - at an `incomplete` message: fewer bytes are left than its header, or than the header announces (which is garbage's
   *   word too: only the offset was checked);
   * - at a `corrupt` one: wrong offset or wrong checksum;
   * - when the rows are `full` and bytes are left.
   */
  scan(
    messagesPosition: number,
    sizeBytes: number,
    firstOffset: number,
    segmentStartOffset: number,
    segmentPosition: number,
    rowsPosition: number,
    rowsMax: number,
  ): ScanResult;

  /**
   * Checks a 0.9 producer's batch and turns it into what `validate` and `stamp` take: messages with offset, timestamp and
   * checksum 0 from `messagesPosition` on, 16 bytes longer each than their frames, and a client's rows. Returns 0, or
   * 4009 (no messages), 3 (layout), 4022, 4017, 4027 (checksum of a message), 4039 (checksum of the batch): the checks
   * of spec P9 8.2, frame by frame and the batch's checksum last. Offset deltas are not looked at: the partition
   * numbers the messages as they lie. Nor are the partition id, base offset and base timestamp, beyond the checksum.
   *
   * In place: the frames may lie where the messages will. For a record that counts n messages the order in the memory is
   * rows (16 × n bytes), messages, frames, the latter at least 16 × n bytes behind `messagesPosition`; the messages end
   * before the frames do. A count that the frames are too small for is refused before the areas are looked at. The header
   * (256 bytes) lies elsewhere; it is the same after the call but used in between, so nobody may read it meanwhile.
   * After an error the bytes of the three areas may be half moved and must not be used.
   */
  unpackRecord(
    headerPosition: number,
    framesPosition: number,
    framesBytes: number,
    rowsPosition: number,
    messagesPosition: number,
  ): number;

  /**
   * Writes whole stored messages as 0.9 records of partition `partitionId` (u32), with ids and sizes as they are stored;
   * the reserved field is lost. A record ends where the server timestamp changes, an offset is not the next one, or origin
   * timestamps would span more than 2^32 − 1 µs (spec P9 8.5). Stops at a message that is not whole, and at one that does
   * not fit into `targetBytesMax` bytes any more; every record that was begun is complete.
   *
   * In place: the target may begin in front of the messages and reach into them. Packing stops, too, where the headers of a record
   * and of its first frame (304 bytes) would reach messages that are not used yet, which are left as they were. A record is 256
   * bytes longer than its messages, less 16 for each.
   */
  packRecords(
    messagesPosition: number,
    sizeBytes: number,
    targetPosition: number,
    targetBytesMax: number,
    partitionId: number,
  ): PackResult;

  /** Bytes that `packRecords` writes for the whole messages of a range when the target is large enough. Changes nothing. */
  measureRecords(messagesPosition: number, sizeBytes: number): number;
}
