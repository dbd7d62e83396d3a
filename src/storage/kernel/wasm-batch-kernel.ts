import { assert } from "../../platform/assert.ts";
import type { BatchKernel, PackResult, ScanResult, ScanStop } from "./batch-kernel.ts";
import { assertPackRanges, assertPlace, assertRanges, assertTimestamp, assertUnpackRanges } from "./kernel-ranges.ts";
import { seedWords } from "./message-id-source.ts";
import { instantiateKernel, type KernelExports } from "./wasm-module.ts";

/** Bytes at the start of every memory that belong to the kernel: constants of the checksum. Nothing else may lie there. */
export const kernelReservedBytes = 4096;

/** By the numbers in assembly/scan.ts. */
const stops: readonly ScanStop[] = ["end", "incomplete", "corrupt", "full"];

/** What the WebAssembly answers for areas without room; by the number in assembly/unpack-record.ts. */
const noRoom = -1;

/**
 * The kernel in WebAssembly, working in place inside a shared memory. Several threads may each have a kernel over the
 * same memory, as long as their ranges are disjoint: a kernel's own state is not in the memory. The memory may grow.
 */
export class WasmBatchKernel implements BatchKernel {
  readonly #memory: WebAssembly.Memory;
  readonly #exports: KernelExports;

  private constructor(memory: WebAssembly.Memory, exports: KernelExports) {
    this.#memory = memory;
    this.#exports = exports;
  }

  /**
   * Puts a kernel over `memory` (shared; made with `shared: true`) and writes its constants to the first
   * `kernelReservedBytes`. `seed`: 32 random bytes for message ids, different for every kernel.
   */
  static create(memory: WebAssembly.Memory, seed: Uint8Array): WasmBatchKernel {
    const exports = instantiateKernel(memory);
    exports.writeSecret();
    exports.seed(...seedWords(seed));
    return new WasmBatchKernel(memory, exports);
  }

  validate(rowsPosition: number, messagesCount: number, messagesPosition: number, messagesSizeBytes: number): number {
    this.#assertRanges(rowsPosition, messagesCount, messagesPosition, messagesSizeBytes);
    return this.#exports.validate(rowsPosition, messagesCount, messagesPosition, messagesSizeBytes);
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
    const stampedBytes = this.#exports.stamp(
      rowsPosition,
      messagesCount,
      messagesPosition,
      messagesSizeBytes,
      firstOffset,
      segmentStartOffset,
      segmentPosition,
      timestampMicros,
    );
    assert(stampedBytes >>> 0 === messagesSizeBytes, "a stamped batch was valid");
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
    const exports = this.#exports;
    const messagesCount =
      exports.scan(
        messagesPosition,
        sizeBytes,
        firstOffset,
        segmentStartOffset,
        segmentPosition,
        rowsPosition,
        rowsMax,
      ) >>> 0;
    return { messagesCount, validBytes: exports.scanValidBytes() >>> 0, stop: stops[exports.scanStop()]! };
  }

  unpackRecord(
    headerPosition: number,
    framesPosition: number,
    framesBytes: number,
    rowsPosition: number,
    messagesPosition: number,
  ): number {
    assertUnpackRanges(
      kernelReservedBytes,
      this.#memory.buffer.byteLength,
      headerPosition,
      framesPosition,
      framesBytes,
      rowsPosition,
      messagesPosition,
    );
    const code = this.#exports.unpackRecord(
      headerPosition,
      framesPosition,
      framesBytes,
      rowsPosition,
      messagesPosition,
    );
    assert(code !== noRoom, "rows and messages have the room that the record's count asks for");
    return code;
  }

  packRecords(
    messagesPosition: number,
    sizeBytes: number,
    targetPosition: number,
    targetBytesMax: number,
    partitionId: number,
  ): PackResult {
    const memoryBytes = this.#memory.buffer.byteLength;
    assertPackRanges(
      kernelReservedBytes,
      memoryBytes,
      messagesPosition,
      sizeBytes,
      targetPosition,
      targetBytesMax,
      partitionId,
    );
    const exports = this.#exports;
    const usedBytes =
      exports.packRecords(messagesPosition, sizeBytes, targetPosition, targetBytesMax, partitionId) >>> 0;
    return { usedBytes, writtenBytes: exports.packedBytes() >>> 0, messagesCount: exports.packedMessages() >>> 0 };
  }

  measureRecords(messagesPosition: number, sizeBytes: number): number {
    this.#assertRanges(messagesPosition, 0, messagesPosition, sizeBytes);
    return this.#exports.measureRecords(messagesPosition, sizeBytes);
  }

  #assertRanges(rowsPosition: number, rowsCount: number, messagesPosition: number, messagesSizeBytes: number): void {
    const memoryBytes = this.#memory.buffer.byteLength;
    assertRanges(kernelReservedBytes, memoryBytes, rowsPosition, rowsCount, messagesPosition, messagesSizeBytes);
  }
}
