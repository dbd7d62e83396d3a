// Loads the compiled kernel. Bun embeds the file into a compiled executable; the import gives its path in both cases.

import { readFileSync } from "node:fs";
import wasmPath from "./batch-kernel.wasm" with { type: "file" };

/** What assembly/index.ts exports. Positions and counts are unsigned 32-bit; results come back as signed 32-bit. */
export interface KernelExports extends Bun.WebAssembly.Exports {
  writeSecret(): void;
  seed(...words: number[]): void;
  validate(rows: number, count: number, messages: number, sizeBytes: number): number;
  stamp(
    rows: number,
    count: number,
    messages: number,
    sizeBytes: number,
    firstOffset: number,
    segmentStartOffset: number,
    segmentPosition: number,
    timestampMicros: number,
  ): number;
  scan(
    messages: number,
    sizeBytes: number,
    firstOffset: number,
    segmentStartOffset: number,
    segmentPosition: number,
    rows: number,
    rowsMax: number,
  ): number;
  scanStop(): number;
  scanValidBytes(): number;
  unpackRecord(header: number, frames: number, framesBytes: number, rows: number, messages: number): number;
  packRecords(messages: number, sizeBytes: number, target: number, targetBytesMax: number, partitionId: number): number;
  packedBytes(): number;
  packedMessages(): number;
  /** As f64: it may not fit 32 bits. */
  measureRecords(messages: number, sizeBytes: number): number;
  /** Signed. */
  xxh3(position: number, sizeBytes: number): bigint;
}

let compiledModule: WebAssembly.Module | undefined;

/** Instantiates the kernel over `memory`, which must be shared. The module is compiled once per thread. */
export function instantiateKernel(memory: WebAssembly.Memory): KernelExports {
  compiledModule ??= new WebAssembly.Module(readFileSync(wasmPath));
  return new WebAssembly.Instance(compiledModule, { env: { memory } }).exports as KernelExports;
}
