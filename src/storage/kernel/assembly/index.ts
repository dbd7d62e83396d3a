// Entry of the WebAssembly batch kernel; `scripts/build-kernel.ts` compiles it to `../batch-kernel.wasm`.
// Positions are unsigned 32-bit byte positions in the imported memory; 64-bit values cross as f64, exact below 2^53.
// The caller has checked that every range it names lies inside the memory.

export { measureRecords, packedBytes, packedMessages, packRecords } from "./pack-records";
export { seed } from "./random";
export { scan, scanStop, scanValidBytes } from "./scan";
export { writeSecret } from "./secret";
export { stamp } from "./stamp";
export { unpackRecord } from "./unpack-record";
export { validate } from "./validate";
export { xxh3 } from "./xxh3";
