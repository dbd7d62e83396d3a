// Worker of loading.test.ts: stamps one batch in a memory that another thread owns. Also runs inside an executable.

import { WasmBatchKernel } from "../../../src/storage/kernel/wasm-batch-kernel.ts";

declare const self: Worker;

self.onmessage = (event: MessageEvent<{ memory: WebAssembly.Memory; sizeBytes: number }>) => {
  const { memory, sizeBytes } = event.data;
  const kernel = WasmBatchKernel.create(memory, crypto.getRandomValues(new Uint8Array(32)));
  const code = kernel.validate(4096, 1, 8192, sizeBytes);
  kernel.stamp(4096, 1, 8192, sizeBytes, 77, 70, 0, 1_000_000);
  postMessage(code);
};
