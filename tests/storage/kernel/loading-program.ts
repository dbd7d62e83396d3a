// Program of loading.test.ts: a worker stamps a batch, this thread scans it. Prints the scan's result as JSON.

import { WasmBatchKernel } from "../../../src/storage/kernel/wasm-batch-kernel.ts";
import { buildUniformBatch, sharedMemory, testSeed } from "./batches.ts";

const batch = buildUniformBatch(1, 1000);
const sizeBytes = batch.messages.byteLength;
const memory = sharedMemory(65_536);
const bytes = new Uint8Array(memory.buffer);
bytes.set(batch.rows, 4096);
bytes.set(batch.messages, 8192);
const kernel = WasmBatchKernel.create(memory, testSeed);

const worker = new Worker(new URL("./loading-worker.ts", import.meta.url));
const code = await new Promise<number>((resolve, reject) => {
  worker.onmessage = (event: MessageEvent<number>) => resolve(event.data);
  worker.onerror = (event) => reject(new Error(event.message));
  worker.postMessage({ memory, sizeBytes });
});
worker.terminate();
console.log(JSON.stringify({ code, scan: kernel.scan(8192, sizeBytes, 77, 70, 0, 4096, 1) }));
