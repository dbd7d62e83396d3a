// Micro benchmark of the batch kernels. `node scripts/bun.mjs tests/storage/kernel/kernel.bench.ts` prints the median of each call in µs;
// the suite runs it once, small, so that it cannot rot. Batches are renewed outside the measured time.

import type { BatchKernel } from "../../../src/storage/kernel/batch-kernel.ts";
import { JsBatchKernel } from "../../../src/storage/kernel/js-batch-kernel.ts";
import { kernelReservedBytes, WasmBatchKernel } from "../../../src/storage/kernel/wasm-batch-kernel.ts";
import { buildUniformBatch, sharedMemory, testSeed } from "./batches.ts";

export interface Measurement {
  readonly name: string;
  readonly validateMicros: number;
  readonly stampMicros: number;
  readonly scanMicros: number;
}

/** Medians over `rounds` rounds of a batch of `count` messages with `payloadBytes` bytes each, for both kernels. */
export function measure(count: number, payloadBytes: number, rounds: number): Measurement[] {
  const batch = buildUniformBatch(count, payloadBytes);
  const rowsPosition = kernelReservedBytes;
  const messagesPosition = rowsPosition + batch.rows.byteLength;
  const memory = sharedMemory(messagesPosition + batch.messages.byteLength);
  const bytes = new Uint8Array(memory.buffer);
  const kernels: [string, BatchKernel][] = [
    ["wasm", WasmBatchKernel.create(memory, testSeed)],
    ["js", new JsBatchKernel(bytes, testSeed)],
  ];
  const sizeBytes = batch.messages.byteLength;
  return kernels.map(([kernelName, kernel]) => {
    const samples: [number, number, number][] = [];
    for (let round = 0; round < rounds; round++) {
      bytes.set(batch.rows, rowsPosition);
      bytes.set(batch.messages, messagesPosition);
      const start = Bun.nanoseconds();
      const code = kernel.validate(rowsPosition, count, messagesPosition, sizeBytes);
      const validated = Bun.nanoseconds();
      kernel.stamp(rowsPosition, count, messagesPosition, sizeBytes, 1000, 0, 0, 1_752_000_000_000_000);
      const stamped = Bun.nanoseconds();
      const scan = kernel.scan(messagesPosition, sizeBytes, 1000, 0, 0, rowsPosition, count);
      const scanned = Bun.nanoseconds();
      if (code !== 0 || scan.messagesCount !== count || scan.stop !== "end") throw new Error("the batch is not valid");
      samples.push([validated - start, stamped - validated, scanned - stamped]);
    }
    const medianMicros = (call: 0 | 1 | 2): number =>
      samples.map((sample) => sample[call]).sort((left, right) => left - right)[rounds >> 1]! / 1000;
    return {
      name: `${kernelName} ${count} x ${payloadBytes + 64} bytes`,
      validateMicros: medianMicros(0),
      stampMicros: medianMicros(1),
      scanMicros: medianMicros(2),
    };
  });
}

if (import.meta.main) {
  for (const [count, payloadBytes] of [
    [1000, 100],
    [1000, 1000],
    [10, 64_000],
  ] as const) {
    for (const { name, validateMicros, stampMicros, scanMicros } of measure(count, payloadBytes, 2000)) {
      console.log(`${name}: validate ${validateMicros} µs, stamp ${stampMicros} µs, scan ${scanMicros} µs`);
    }
  }
}
