// The kernel in plain TypeScript. The rules are those of assembly/*.ts, statement by statement; a change belongs in both.

import { assert } from "../../platform/assert.ts";
import { errorCodes } from "../../protocol/error-codes.ts";
import { messagePayloadBytesMax, userHeadersBytesMax } from "../../protocol/limits.ts";
import { IndexRowLayout, indexRowBytes, MessageLayout, messageHeaderBytes } from "../../protocol/message-layout.ts";
import type { BatchKernel, PackResult, ScanResult, ScanStop } from "./batch-kernel.ts";
import { JsRecordTranscoder } from "./js-record-transcoder.ts";
import { assertPackRanges, assertPlace, assertRanges, assertTimestamp, assertUnpackRanges } from "./kernel-ranges.ts";
import { MessageIdSource } from "./message-id-source.ts";

/** The kernel over any bytes; position 0 is their first. */
export class JsBatchKernel implements BatchKernel {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #ids: MessageIdSource;
  readonly #records: JsRecordTranscoder;

  /** Works in place on `bytes`. `seed`: 32 bytes for message ids; equal seeds give equal ids, on both kernels. */
  constructor(bytes: Uint8Array, seed: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#ids = new MessageIdSource(seed);
    this.#records = new JsRecordTranscoder(bytes, this.#view);
  }

  validate(rowsPosition: number, messagesCount: number, messagesPosition: number, messagesSizeBytes: number): number {
    this.#assertRanges(rowsPosition, messagesCount, messagesPosition, messagesSizeBytes);
    if (messagesCount === 0) return errorCodes.InvalidMessagesCount;
    const view = this.#view;
    let start = 0;
    let previousLow = 0;
    let previousHigh = 0;
    let sumBytes = 0;
    for (let rowIndex = 0; rowIndex < messagesCount; rowIndex++) {
      const row = rowsPosition + rowIndex * indexRowBytes;
      if (view.getUint32(row + IndexRowLayout.relativeOffset, true) !== 0) return errorCodes.NonZeroOffset;
      if (!isZero(view, row + IndexRowLayout.timestamp, 8)) return errorCodes.NonZeroTimestamp;

      // The last message ends where the area ends, whatever its row says.
      const rowEnd = view.getUint32(row + IndexRowLayout.endPosition, true);
      const end = rowIndex === messagesCount - 1 ? messagesSizeBytes : rowEnd;
      if (end > messagesSizeBytes || end - start < messageHeaderBytes) return errorCodes.MissingIndex;
      const message = messagesPosition + start;
      const messageBytes = readMessageSize(view, message);
      if (messageBytes > end - start) return errorCodes.MissingIndex;
      if (view.getUint32(message + MessageLayout.payloadLength, true) > messagePayloadBytesMax) {
        return errorCodes.TooBigMessagePayload;
      }
      if (view.getUint32(message + MessageLayout.userHeadersLength, true) > userHeadersBytesMax) {
        return errorCodes.TooBigUserHeaders;
      }

      const offsetLow = view.getUint32(message + MessageLayout.offset, true);
      const offsetHigh = view.getUint32(message + MessageLayout.offset + 4, true);
      if (offsetHigh < previousHigh || (offsetHigh === previousHigh && offsetLow < previousLow)) {
        return errorCodes.InvalidOffset;
      }
      // Only the last row can get here with a position that goes down: the others bound their messages.
      if (rowEnd < start) return errorCodes.CannotReadIndexPosition;

      previousLow = offsetLow;
      previousHigh = offsetHigh;
      sumBytes += messageBytes;
      start = rowEnd;
    }
    return sumBytes === messagesSizeBytes ? 0 : errorCodes.InvalidMessagesSize;
  }

  stamp(
    rowsPosition: number,
    messagesCount: number,
    messagesPosition: number,
    messagesSizeBytes: number,
    firstOffset: number,
    segmentStartOffset: number,
    segmentPosition: number,
    timestampMicros: number,
  ): void {
    this.#assertRanges(rowsPosition, messagesCount, messagesPosition, messagesSizeBytes);
    assertPlace(firstOffset, segmentStartOffset, segmentPosition);
    assertTimestamp(timestampMicros);
    const view = this.#view;
    let doneBytes = 0;
    for (let rowIndex = 0; rowIndex < messagesCount; rowIndex++) {
      const leftBytes = messagesSizeBytes - doneBytes;
      if (leftBytes < messageHeaderBytes) break;
      const message = messagesPosition + doneBytes;
      const messageBytes = readMessageSize(view, message);
      if (messageBytes > leftBytes) break;

      if (isZero(view, message + MessageLayout.id, 16)) this.#ids.write(view, message + MessageLayout.id);
      const offset = firstOffset + rowIndex;
      writeU64(view, message + MessageLayout.offset, offset);
      writeU64(view, message + MessageLayout.timestamp, timestampMicros);
      writeU64(view, message + MessageLayout.reserved, 0);
      view.setBigUint64(message + MessageLayout.checksum, this.#checksum(message, messageBytes), true);

      doneBytes += messageBytes;
      const row = rowsPosition + rowIndex * indexRowBytes;
      view.setUint32(row + IndexRowLayout.relativeOffset, offset - segmentStartOffset, true);
      view.setUint32(row + IndexRowLayout.endPosition, segmentPosition + doneBytes, true);
      writeU64(view, row + IndexRowLayout.timestamp, timestampMicros);
    }
    assert(doneBytes === messagesSizeBytes, "a stamped batch was valid");
  }

  scan(
    messagesPosition: number,
    sizeBytes: number,
    firstOffset: number,
    segmentStartOffset: number,
    segmentPosition: number,
    rowsPosition: number,
    rowsMax: number,
  ): ScanResult {
    this.#assertRanges(rowsPosition, rowsMax, messagesPosition, sizeBytes);
    assertPlace(firstOffset, segmentStartOffset, segmentPosition);
    const view = this.#view;
    let messagesCount = 0;
    let validBytes = 0;
    let stop: ScanStop = "end";
    while (validBytes < sizeBytes) {
      const message = messagesPosition + validBytes;
      const offset = firstOffset + messagesCount;
      stop = messagesCount === rowsMax ? "full" : this.#examine(message, sizeBytes - validBytes, offset);
      if (stop !== "end") break;
      validBytes += readMessageSize(view, message);
      const row = rowsPosition + messagesCount * indexRowBytes;
      view.setUint32(row + IndexRowLayout.relativeOffset, offset - segmentStartOffset, true);
      view.setUint32(row + IndexRowLayout.endPosition, segmentPosition + validBytes, true);
      view.setBigUint64(
        row + IndexRowLayout.timestamp,
        view.getBigUint64(message + MessageLayout.timestamp, true),
        true,
      );
      messagesCount++;
    }
    return { messagesCount, validBytes, stop };
  }

  unpackRecord(
    headerPosition: number,
    framesPosition: number,
    framesBytes: number,
    rowsPosition: number,
    messagesPosition: number,
  ): number {
    assertUnpackRanges(
      0,
      this.#bytes.byteLength,
      headerPosition,
      framesPosition,
      framesBytes,
      rowsPosition,
      messagesPosition,
    );
    return this.#records.unpackRecord(headerPosition, framesPosition, framesBytes, rowsPosition, messagesPosition);
  }

  packRecords(
    messagesPosition: number,
    sizeBytes: number,
    targetPosition: number,
    targetBytesMax: number,
    partitionId: number,
  ): PackResult {
    const memoryBytes = this.#bytes.byteLength;
    assertPackRanges(0, memoryBytes, messagesPosition, sizeBytes, targetPosition, targetBytesMax, partitionId);
    return this.#records.packRecords(messagesPosition, sizeBytes, targetPosition, targetBytesMax, partitionId);
  }

  measureRecords(messagesPosition: number, sizeBytes: number): number {
    this.#assertRanges(messagesPosition, 0, messagesPosition, sizeBytes);
    return this.#records.measureRecords(messagesPosition, sizeBytes);
  }

  /** "end" for a valid message. The offset comes before the length: garbage should not look like a message half there. */
  #examine(message: number, leftBytes: number, offset: number): ScanStop {
    const view = this.#view;
    if (leftBytes < messageHeaderBytes) return "incomplete";
    const offsetLow = view.getUint32(message + MessageLayout.offset, true);
    const offsetHigh = view.getUint32(message + MessageLayout.offset + 4, true);
    if (offsetHigh * 2 ** 32 + offsetLow !== offset) return "corrupt";
    const messageBytes = readMessageSize(view, message);
    if (messageBytes > leftBytes) return "incomplete";
    const checksum = view.getBigUint64(message + MessageLayout.checksum, true);
    return checksum === this.#checksum(message, messageBytes) ? "end" : "corrupt";
  }

  /** XXH3 over everything after the checksum field (spec BP 3.10). */
  #checksum(message: number, messageBytes: number): bigint {
    return Bun.hash.xxHash3(this.#bytes.subarray(message + MessageLayout.id, message + messageBytes));
  }

  #assertRanges(rowsPosition: number, rowsCount: number, messagesPosition: number, messagesSizeBytes: number): void {
    assertRanges(0, this.#bytes.byteLength, rowsPosition, rowsCount, messagesPosition, messagesSizeBytes);
  }
}

/** Size of the message by its own header. Exact: the sum of two 32-bit lengths stays far below 2^53. */
function readMessageSize(view: DataView, message: number): number {
  return (
    messageHeaderBytes +
    view.getUint32(message + MessageLayout.payloadLength, true) +
    view.getUint32(message + MessageLayout.userHeadersLength, true)
  );
}

function isZero(view: DataView, position: number, sizeBytes: number): boolean {
  for (let at = position; at < position + sizeBytes; at += 4) {
    if (view.getUint32(at, true) !== 0) return false;
  }
  return true;
}

/** Two 32-bit halves instead of a bigint: exact below 2^53. */
function writeU64(view: DataView, position: number, value: number): void {
  view.setUint32(position, value >>> 0, true);
  view.setUint32(position + 4, Math.floor(value / 2 ** 32), true);
}
