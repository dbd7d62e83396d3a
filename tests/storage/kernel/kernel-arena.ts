import type { BatchKernel } from "../../../src/storage/kernel/batch-kernel.ts";
import { JsBatchKernel } from "../../../src/storage/kernel/js-batch-kernel.ts";
import { kernelReservedBytes, WasmBatchKernel } from "../../../src/storage/kernel/wasm-batch-kernel.ts";
import { sharedMemory, testSeed } from "./batches.ts";

const canary = 0xa5;
const canaryBytes = 96;

/** Where an arena has put its two areas. */
export interface Areas {
  readonly rowsPosition: number;
  readonly messagesPosition: number;
}

/** A kernel with its memory, in which two areas lie between canaries; the rows before or behind the messages. */
export interface Arena {
  readonly kernel: BatchKernel;
  place(rows: Uint8Array, messages: Uint8Array, rowsFirst: boolean): Areas;
  read(position: number, sizeBytes: number): Uint8Array;
  /** Whether every byte outside the two areas is as `place` left it. */
  canariesLive(): boolean;
}

/** An arena over `bytes`, from `firstPosition` on. */
function arenaOver(bytes: Uint8Array, firstPosition: number, kernel: BatchKernel): Arena {
  let areas: (readonly [position: number, end: number])[] = [];
  let usedEnd = firstPosition;
  return {
    kernel,
    place(rows, messages, rowsFirst) {
      const [first, second] = rowsFirst ? [rows, messages] : [messages, rows];
      const firstStart = firstPosition + canaryBytes;
      const secondStart = firstStart + first.byteLength + canaryBytes;
      usedEnd = secondStart + second.byteLength + canaryBytes;
      bytes.fill(canary, firstPosition, usedEnd);
      bytes.set(first, firstStart);
      bytes.set(second, secondStart);
      areas = [
        [firstStart, firstStart + first.byteLength],
        [secondStart, secondStart + second.byteLength],
      ];
      return rowsFirst
        ? { rowsPosition: firstStart, messagesPosition: secondStart }
        : { rowsPosition: secondStart, messagesPosition: firstStart };
    },
    read: (position, sizeBytes) => bytes.slice(position, position + sizeBytes),
    canariesLive() {
      for (let position = firstPosition; position < usedEnd; position++) {
        const isArea = areas.some(([start, end]) => position >= start && position < end);
        if (!isArea && bytes[position] !== canary) return false;
      }
      return true;
    },
  };
}

/** Both kernels, each with its own memory of `sizeBytes` bytes and the same seed. */
export function bothArenas(sizeBytes: number): Record<"wasm" | "js", Arena> {
  const memory = sharedMemory(sizeBytes);
  const shared = new Uint8Array(memory.buffer);
  const plain = new Uint8Array(sizeBytes);
  return {
    wasm: arenaOver(shared, kernelReservedBytes, WasmBatchKernel.create(memory, testSeed)),
    js: arenaOver(plain, 0, new JsBatchKernel(plain, testSeed)),
  };
}
