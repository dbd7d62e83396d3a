// Micro benchmark of the batch kernels. `node scripts/bun.mjs tests/storage/kernel/kernel.bench.ts` prints the median of each call in µs;
// the suite runs it once, small, so that it cannot rot. Batches are renewed outside the measured time.

import { indexRowBytes } from "../../../src/protocol/message-layout.ts";
import { batchHeaderBytes } from "../../../src/protocol/v09/batch-layout.ts";
import type { BatchKernel } from "../../../src/storage/kernel/batch-kernel.ts";
import { JsBatchKernel } from "../../../src/storage/kernel/js-batch-kernel.ts";
import { kernelReservedBytes, WasmBatchKernel } from "../../../src/storage/kernel/wasm-batch-kernel.ts";
import { buildUniformBatch, sharedMemory, testSeed } from "./batches.ts";

export interface Measurement {
  readonly name: string;
  readonly validateMicros: number;
  readonly stampMicros: number;
  readonly scanMicros: number;
  /** The work that clients of 0.9 add: their batch to messages, and messages to records for them. */
  readonly unpackMicros: number;
  readonly packMicros: number;
  readonly measureMicros: number;
}

/** Medians over `rounds` rounds of a batch of `count` messages with `payloadBytes` bytes each, for both kernels. */
export function measure(count: number, payloadBytes: number, rounds: number): Measurement[] {
  const { messages } = buildUniformBatch(count, payloadBytes);
  const sizeBytes = messages.byteLength;
  // From front to back: header, rows, messages, which grow over their frames; then the records that are packed.
  const headerPosition = kernelReservedBytes;
  const rowsPosition = headerPosition + batchHeaderBytes;
  const messagesPosition = rowsPosition + count * indexRowBytes;
  const framesBytes = sizeBytes - count * 16;
  const framesPosition = messagesPosition + count * 16;
  const recordsPosition = messagesPosition + sizeBytes;
  const recordsBytes = batchHeaderBytes + framesBytes;
  const memory = sharedMemory(recordsPosition + recordsBytes);
  const bytes = new Uint8Array(memory.buffer);
  const kernels: [string, BatchKernel][] = [
    ["wasm", WasmBatchKernel.create(memory, testSeed)],
    ["js", new JsBatchKernel(bytes, testSeed)],
  ];

  // What a producer sends is a record of partition 0 from offset 0 on with server time 0.
  bytes.set(messages, messagesPosition);
  for (let index = 0; index < count; index++) {
    new DataView(memory.buffer).setUint32(messagesPosition + index * (payloadBytes + 64) + 24, index, true);
  }
  kernels[0]![1].packRecords(messagesPosition, sizeBytes, recordsPosition, recordsBytes, 0);
  const sent = bytes.slice(recordsPosition, recordsPosition + recordsBytes);

  return kernels.map(([kernelName, kernel]) => {
    const samples: number[][] = [];
    for (let round = 0; round < rounds; round++) {
      bytes.set(sent.subarray(0, batchHeaderBytes), headerPosition);
      bytes.set(sent.subarray(batchHeaderBytes), framesPosition);
      const times = [Bun.nanoseconds()];
      const sentCode = kernel.unpackRecord(headerPosition, framesPosition, framesBytes, rowsPosition, messagesPosition);
      times.push(Bun.nanoseconds());
      const code = kernel.validate(rowsPosition, count, messagesPosition, sizeBytes);
      times.push(Bun.nanoseconds());
      kernel.stamp(rowsPosition, count, messagesPosition, sizeBytes, 1000, 0, 0, 1_752_000_000_000_000);
      times.push(Bun.nanoseconds());
      const scan = kernel.scan(messagesPosition, sizeBytes, 1000, 0, 0, rowsPosition, count);
      times.push(Bun.nanoseconds());
      const packed = kernel.packRecords(messagesPosition, sizeBytes, recordsPosition, recordsBytes, 0);
      times.push(Bun.nanoseconds());
      const measured = kernel.measureRecords(messagesPosition, sizeBytes);
      times.push(Bun.nanoseconds());
      if (sentCode !== 0 || code !== 0 || scan.messagesCount !== count || scan.stop !== "end") {
        throw new Error("the batch is not valid");
      }
      if (packed.messagesCount !== count || measured !== recordsBytes) throw new Error("the records are not whole");
      samples.push(times.slice(1).map((time, call) => time - times[call]!));
    }
    const medianMicros = (call: number): number =>
      samples.map((sample) => sample[call]!).sort((left, right) => left - right)[rounds >> 1]! / 1000;
    return {
      name: `${kernelName} ${count} x ${payloadBytes + 64} bytes`,
      unpackMicros: medianMicros(0),
      validateMicros: medianMicros(1),
      stampMicros: medianMicros(2),
      scanMicros: medianMicros(3),
      packMicros: medianMicros(4),
      measureMicros: medianMicros(5),
    };
  });
}

if (import.meta.main) {
  for (const [count, payloadBytes] of [
    [1000, 100],
    [1000, 1000],
    [10, 64_000],
  ] as const) {
    for (const { name, ...micros } of measure(count, payloadBytes, 2000)) {
      const calls = Object.entries(micros).map(([call, median]) => `${call.replace("Micros", "")} ${median} µs`);
      console.log(`${name}: ${calls.join(", ")}`);
    }
  }
}
