// Compiles the batch kernel: src/storage/kernel/assembly/*.ts (AssemblyScript) to src/storage/kernel/batch-kernel.wasm.
// The artifact is committed, so that a clone runs without this step; a test rebuilds it and compares the bytes.
//
//   bun scripts/build-kernel.ts [output file]

import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const kernelFolder = join(root, "src", "storage", "kernel");

/**
 * Compiles the kernel into `outputPath`.
 *
 * The memory is imported and shared, with the largest possible maximum, so that any shared memory can be linked. Nothing
 * is allocated (stub runtime) and there is no static data: the kernel writes only where it is told to, and its secret.
 */
export async function buildKernel(outputPath: string): Promise<void> {
  const result = await asc.main([
    relative(process.cwd(), join(kernelFolder, "assembly", "index.ts")),
    "--outFile",
    relative(process.cwd(), outputPath),
    "--runtime",
    "stub",
    "--importMemory",
    "--sharedMemory",
    "--initialMemory",
    "1",
    "--maximumMemory",
    "65536",
    "--noExportMemory",
    "--enable",
    "simd",
    "--enable",
    "threads",
    "--optimizeLevel",
    "3",
    "--shrinkLevel",
    "0",
    "--converge",
    "--noAssert",
  ]);
  if (result.error !== null) throw new Error(`${result.stderr.toString()}\n${result.error.message}`);
}

if (import.meta.main) {
  const outputPath = process.argv[2] ?? join(kernelFolder, "batch-kernel.wasm");
  await buildKernel(outputPath);
  console.log(`${relative(root, outputPath)}: ${Bun.file(outputPath).size} bytes`);
}
