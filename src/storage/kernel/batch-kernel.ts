// The batch kernel: everything that touches each message of a batch, as three calls per batch and none per message.
//
// Two implementations, held equal by a property test that compares every byte:
// - WasmBatchKernel: WebAssembly with SIMD, in place in the memory that the socket wrote to and the disk reads from.
// - JsBatchKernel: plain TypeScript over any bytes; for frames too large for the shared memory, and for simulations.
//
// Positions are byte positions in the kernel's memory; offsets, times and segment positions are whole numbers below 2^53.
// Whatever the bytes hold, a call reads and writes only the ranges that it was given; a range outside the memory is a
// fault of the caller and throws an AssertionError. The two ranges of a call must not overlap.

/** Why a scan stopped; see `BatchKernel.scan`. */
export type ScanStop = "end" | "incomplete" | "corrupt" | "full";

/** What a scan found: `messagesCount` valid messages in the first `validBytes` bytes. */
export interface ScanResult {
  readonly messagesCount: number;
  readonly validBytes: number;
  readonly stop: ScanStop;
}

/** The work on whole batches (spec BP 3.7, 3.8, 3.10; SB 3.2, 3.3, 4.1, 4.2). Calls are synchronous and keep nothing. */
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
}
