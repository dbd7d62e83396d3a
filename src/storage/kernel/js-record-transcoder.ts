// Batch records of 0.9 in the kernel in plain TypeScript: unpack, pack and measure. The rules are those of
// assembly/unpack-record.ts and assembly/pack-records.ts, statement by statement; a change belongs in both.

import { assert } from "../../platform/assert.ts";
import { errorCodes } from "../../protocol/error-codes.ts";
import { messagePayloadBytesMax, userHeadersBytesMax } from "../../protocol/limits.ts";
import { IndexRowLayout, indexRowBytes, MessageLayout, messageHeaderBytes } from "../../protocol/message-layout.ts";
import {
  BatchHeaderLayout,
  batchHeaderBytes,
  MessageFrameLayout,
  messageFrameBytes,
  timestampDeltaMaxMicros,
} from "../../protocol/v09/batch-layout.ts";
import type { PackResult } from "./batch-kernel.ts";
import { RecordChecksum } from "./js-record-checksum.ts";

/** Bytes by which a message is longer than its frame. */
const growthBytes = messageHeaderBytes - messageFrameBytes;

/** Works in place on bytes; the ranges were checked, see `BatchKernel`. */
export class JsRecordTranscoder {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #checksum = new RecordChecksum();

  // The extent of the record that `#findRecord` found. Times are two 32-bit halves: exact, and no bigint for a message.
  #extentCount = 0;
  #extentBytes = 0;
  #extentFramesBytes = 0;
  #originLow = 0;
  #originHigh = 0;

  /** `view` shows the same bytes as `bytes`. */
  constructor(bytes: Uint8Array, view: DataView) {
    this.#bytes = bytes;
    this.#view = view;
  }

  /** As `BatchKernel.unpackRecord`. */
  unpackRecord(header: number, frames: number, framesBytes: number, rows: number, messages: number): number {
    const view = this.#view;
    const count = view.getUint32(header + BatchHeaderLayout.messagesCount, true);
    if (count === 0) return errorCodes.InvalidMessagesCount;
    const lengthLow = view.getUint32(header + BatchHeaderLayout.batchLength, true);
    const lengthHigh = view.getUint32(header + BatchHeaderLayout.batchLength + 4, true);
    if (lengthHigh * 2 ** 32 + lengthLow !== batchHeaderBytes + framesBytes) return errorCodes.InvalidCommand;
    for (let at = BatchHeaderLayout.reserved; at < batchHeaderBytes; at += 4) {
      if (view.getUint32(header + at, true) !== 0) return errorCodes.InvalidCommand;
    }
    // Before anything is counted on: from here on the count is as small as the bytes that came.
    if (count * messageFrameBytes > framesBytes) return errorCodes.InvalidCommand;
    assertRoom(count, rows, messages, frames);

    this.#checksum.begin(this.#bytes, header, count);
    const code = this.#moveFrames(header, frames, framesBytes, count, rows, messages);
    if (code !== 0) return code;
    const checksum = view.getBigUint64(header + BatchHeaderLayout.checksum, true);
    return this.#checksum.end() === checksum ? 0 : errorCodes.InvalidBatchChecksum;
  }

  #moveFrames(
    header: number,
    frames: number,
    framesBytes: number,
    count: number,
    rows: number,
    messages: number,
  ): number {
    const view = this.#view;
    const batchOriginLow = view.getUint32(header + BatchHeaderLayout.originTimestamp, true);
    const batchOriginHigh = view.getUint32(header + BatchHeaderLayout.originTimestamp + 4, true);
    const end = frames + framesBytes;
    let frame = frames;
    let message = messages;
    for (let index = 0; index < count; index++) {
      if (end - frame < messageFrameBytes) return errorCodes.InvalidCommand;
      const userHeadersLength = view.getUint32(frame + MessageFrameLayout.userHeadersLength, true);
      const payloadLength = view.getUint32(frame + MessageFrameLayout.payloadLength, true);
      const frameEnd = frame + messageFrameBytes + userHeadersLength + payloadLength;
      if (frameEnd > end || !isZero8(view, frame + MessageFrameLayout.reserved)) return errorCodes.InvalidCommand;
      if (payloadLength > messagePayloadBytesMax) return errorCodes.TooBigMessagePayload;
      if (userHeadersLength > userHeadersBytesMax) return errorCodes.TooBigUserHeaders;
      const checksum = Bun.hash.xxHash3(this.#bytes.subarray(frame + MessageFrameLayout.checksumStart, frameEnd));
      if (view.getBigUint64(frame + MessageFrameLayout.checksum, true) !== checksum) {
        return errorCodes.InvalidMessageChecksum;
      }
      this.#checksum.add(view, frame);

      const timestampDelta = view.getUint32(frame + MessageFrameLayout.timestampDelta, true);
      this.#bytes.copyWithin(
        message + MessageLayout.id,
        frame + MessageFrameLayout.id,
        frame + MessageFrameLayout.id + 16,
      );
      this.#bytes.copyWithin(message + messageHeaderBytes, frame + messageFrameBytes, frameEnd);
      zero8(view, message + MessageLayout.checksum);
      zero8(view, message + MessageLayout.offset);
      zero8(view, message + MessageLayout.timestamp);
      const originLow = batchOriginLow + timestampDelta;
      const carry = originLow > 0xffff_ffff ? 1 : 0;
      view.setUint32(message + MessageLayout.originTimestamp, originLow, true);
      view.setUint32(message + MessageLayout.originTimestamp + 4, batchOriginHigh + carry, true);
      view.setUint32(message + MessageLayout.userHeadersLength, userHeadersLength, true);
      view.setUint32(message + MessageLayout.payloadLength, payloadLength, true);
      zero8(view, message + MessageLayout.reserved);

      frame = frameEnd;
      message += messageHeaderBytes + userHeadersLength + payloadLength;
      const row = rows + index * indexRowBytes;
      view.setUint32(row + IndexRowLayout.relativeOffset, 0, true);
      view.setUint32(row + IndexRowLayout.endPosition, message - messages, true);
      zero8(view, row + IndexRowLayout.timestamp);
    }
    return frame === end ? 0 : errorCodes.InvalidCommand;
  }

  /** As `BatchKernel.packRecords`. */
  packRecords(
    messages: number,
    sizeBytes: number,
    target: number,
    targetBytesMax: number,
    partitionId: number,
  ): PackResult {
    let usedBytes = 0;
    let writtenBytes = 0;
    let messagesCount = 0;
    const isInPlace = target <= messages;
    while (this.#findRecord(messages + usedBytes, sizeBytes - usedBytes, targetBytesMax - writtenBytes)) {
      // Each frame is shorter than its message: if the first one leaves its message alone, all do.
      if (isInPlace && target + writtenBytes + batchHeaderBytes + messageFrameBytes > messages + usedBytes) break;
      this.#writeRecord(messages + usedBytes, target + writtenBytes, partitionId);
      usedBytes += this.#extentBytes;
      writtenBytes += batchHeaderBytes + this.#extentFramesBytes;
      messagesCount += this.#extentCount;
    }
    return { usedBytes, writtenBytes, messagesCount };
  }

  /** As `BatchKernel.measureRecords`. */
  measureRecords(messages: number, sizeBytes: number): number {
    let usedBytes = 0;
    let recordsBytes = 0;
    while (this.#findRecord(messages + usedBytes, sizeBytes - usedBytes, Number.POSITIVE_INFINITY)) {
      usedBytes += this.#extentBytes;
      recordsBytes += batchHeaderBytes + this.#extentFramesBytes;
    }
    return recordsBytes;
  }

  /** Whether a record begins at `messages`: at least one whole message whose frame fits. Sets the extent. */
  #findRecord(messages: number, sizeBytes: number, targetBytesMax: number): boolean {
    this.#extentCount = 0;
    if (sizeBytes < messageHeaderBytes) return false;
    const view = this.#view;
    const timestampLow = view.getUint32(messages + MessageLayout.timestamp, true);
    const timestampHigh = view.getUint32(messages + MessageLayout.timestamp + 4, true);
    let offsetLow = view.getUint32(messages + MessageLayout.offset, true);
    let offsetHigh = view.getUint32(messages + MessageLayout.offset + 4, true);
    let minLow = view.getUint32(messages + MessageLayout.originTimestamp, true);
    let minHigh = view.getUint32(messages + MessageLayout.originTimestamp + 4, true);
    let maxLow = minLow;
    let maxHigh = minHigh;
    let count = 0;
    let usedBytes = 0;
    let framesBytes = 0;
    while (usedBytes + messageHeaderBytes <= sizeBytes) {
      const message = messages + usedBytes;
      const messageBytes =
        messageHeaderBytes +
        view.getUint32(message + MessageLayout.payloadLength, true) +
        view.getUint32(message + MessageLayout.userHeadersLength, true);
      if (messageBytes > sizeBytes - usedBytes) break;
      const grownBytes = framesBytes + messageBytes - growthBytes;
      if (grownBytes > targetBytesMax - batchHeaderBytes) break;
      if (
        view.getUint32(message + MessageLayout.timestamp, true) !== timestampLow ||
        view.getUint32(message + MessageLayout.timestamp + 4, true) !== timestampHigh ||
        view.getUint32(message + MessageLayout.offset, true) !== offsetLow ||
        view.getUint32(message + MessageLayout.offset + 4, true) !== offsetHigh
      ) {
        break;
      }
      const originLow = view.getUint32(message + MessageLayout.originTimestamp, true);
      const originHigh = view.getUint32(message + MessageLayout.originTimestamp + 4, true);
      const isMin = originHigh < minHigh || (originHigh === minHigh && originLow < minLow);
      const isMax = originHigh > maxHigh || (originHigh === maxHigh && originLow > maxLow);
      // Never both, and at most the new one leaves the span. Rounding far above 2^32 does no harm.
      const spanHigh = (isMax ? originHigh : maxHigh) - (isMin ? originHigh : minHigh);
      const spanLow = (isMax ? originLow : maxLow) - (isMin ? originLow : minLow);
      if (spanHigh * 2 ** 32 + spanLow > timestampDeltaMaxMicros) break;

      if (isMin) {
        minLow = originLow;
        minHigh = originHigh;
      }
      if (isMax) {
        maxLow = originLow;
        maxHigh = originHigh;
      }
      framesBytes = grownBytes;
      usedBytes += messageBytes;
      offsetLow = (offsetLow + 1) >>> 0;
      if (offsetLow === 0) offsetHigh = (offsetHigh + 1) >>> 0;
      count++;
    }
    this.#extentCount = count;
    this.#extentBytes = usedBytes;
    this.#extentFramesBytes = framesBytes;
    this.#originLow = minLow;
    this.#originHigh = minHigh;
    return count !== 0;
  }

  /** Writes the record of the extent, which begins at `messages`. */
  #writeRecord(messages: number, header: number, partitionId: number): void {
    const view = this.#view;
    const bytes = this.#bytes;
    const count = this.#extentCount;
    view.setUint32(header + BatchHeaderLayout.partitionId, partitionId, true);
    view.setUint32(header + BatchHeaderLayout.partitionId + 4, 0, true);
    copy8(view, header + BatchHeaderLayout.baseOffset, messages + MessageLayout.offset);
    copy8(view, header + BatchHeaderLayout.baseTimestamp, messages + MessageLayout.timestamp);
    view.setUint32(header + BatchHeaderLayout.originTimestamp, this.#originLow, true);
    view.setUint32(header + BatchHeaderLayout.originTimestamp + 4, this.#originHigh, true);
    const length = batchHeaderBytes + this.#extentFramesBytes;
    view.setUint32(header + BatchHeaderLayout.batchLength, length, true);
    view.setUint32(header + BatchHeaderLayout.batchLength + 4, Math.floor(length / 2 ** 32), true);
    view.setUint32(header + BatchHeaderLayout.messagesCount, count, true);
    bytes.fill(0, header + BatchHeaderLayout.reserved, header + batchHeaderBytes);

    this.#checksum.begin(bytes, header, count);
    let message = messages;
    let frame = header + batchHeaderBytes;
    for (let delta = 0; delta < count; delta++) {
      const userHeadersLength = view.getUint32(message + MessageLayout.userHeadersLength, true);
      const payloadLength = view.getUint32(message + MessageLayout.payloadLength, true);
      const dataBytes = userHeadersLength + payloadLength;
      const frameEnd = frame + messageFrameBytes + dataBytes;
      copy8(view, frame + MessageFrameLayout.id, message + MessageLayout.id);
      copy8(view, frame + MessageFrameLayout.id + 8, message + MessageLayout.id + 8);
      view.setUint32(frame + MessageFrameLayout.offsetDelta, delta, true);
      // Exact without the high half: the difference fits 32 bits.
      const originLow = view.getUint32(message + MessageLayout.originTimestamp, true);
      view.setUint32(frame + MessageFrameLayout.timestampDelta, originLow - this.#originLow, true);
      view.setUint32(frame + MessageFrameLayout.userHeadersLength, userHeadersLength, true);
      view.setUint32(frame + MessageFrameLayout.payloadLength, payloadLength, true);
      zero8(view, frame + MessageFrameLayout.reserved);
      const data = message + messageHeaderBytes;
      bytes.copyWithin(frame + messageFrameBytes, data, data + dataBytes);
      const checksum = Bun.hash.xxHash3(bytes.subarray(frame + MessageFrameLayout.checksumStart, frameEnd));
      view.setBigUint64(frame + MessageFrameLayout.checksum, checksum, true);
      this.#checksum.add(view, frame);
      message = data + dataBytes;
      frame = frameEnd;
    }
    view.setBigUint64(header + BatchHeaderLayout.checksum, this.#checksum.end(), true);
  }
}

/** Asserts that the areas stand as `BatchKernel.unpackRecord` asks for: their sizes come from the record's count. */
function assertRoom(count: number, rows: number, messages: number, frames: number): void {
  const hasRoom = rows + count * indexRowBytes <= messages && messages + count * growthBytes <= frames;
  assert(hasRoom, "rows and messages have the room that the record's count asks for");
}

function isZero8(view: DataView, position: number): boolean {
  return view.getUint32(position, true) === 0 && view.getUint32(position + 4, true) === 0;
}

function zero8(view: DataView, position: number): void {
  view.setUint32(position, 0, true);
  view.setUint32(position + 4, 0, true);
}

function copy8(view: DataView, to: number, from: number): void {
  view.setUint32(to, view.getUint32(from, true), true);
  view.setUint32(to + 4, view.getUint32(from + 4, true), true);
}
