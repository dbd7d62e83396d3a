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
  /** Any number of areas in this order, between canaries; gives their positions. */
  placeAll(areas: readonly Uint8Array[]): number[];
  read(position: number, sizeBytes: number): Uint8Array;
  /** Whether every byte outside the areas is as `place` or `placeAll` left it. */
  canariesLive(): boolean;
}

/** An arena over `bytes`, from `firstPosition` on. */
function arenaOver(bytes: Uint8Array, firstPosition: number, kernel: BatchKernel): Arena {
  let areas: (readonly [position: number, end: number])[] = [];
  let usedEnd = firstPosition;
  function placeAll(contents: readonly Uint8Array[]): number[] {
    let end = firstPosition + canaryBytes;
    areas = contents.map(({ byteLength }) => {
      const start = end;
      end += byteLength + canaryBytes;
      return [start, start + byteLength];
    });
    usedEnd = end;
    bytes.fill(canary, firstPosition, usedEnd);
    for (const [index, content] of contents.entries()) bytes.set(content, areas[index]![0]);
    return areas.map(([start]) => start);
  }

  return {
    kernel,
    placeAll,
    place(rows, messages, rowsFirst) {
      const [first, second] = placeAll(rowsFirst ? [rows, messages] : [messages, rows]);
      return rowsFirst
        ? { rowsPosition: first!, messagesPosition: second! }
        : { rowsPosition: second!, messagesPosition: first! };
    },
    read: (position, sizeBytes) => bytes.slice(position, position + sizeBytes),
    canariesLive() {
      let position = firstPosition;
      for (const [start, end] of [...areas, [usedEnd, usedEnd] as const]) {
        for (; position < start; position++) {
          if (bytes[position] !== canary) return false;
        }
        position = end;
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
