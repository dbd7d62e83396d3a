/** The end of what was logged, over all files. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { logFileName, rotatedLogName, rotatedLogNumbers } from "./log-names.ts";

/** The last `bytesMax` bytes of all log files, in the order in which they were written. */
export async function readLogTail(directory: string, bytesMax: number): Promise<Uint8Array> {
  const newestFirst = [logFileName, ...rotatedLogNumbers(directory).map(rotatedLogName)];
  const oldestFirst: Uint8Array[] = [];
  let bytesLeft = bytesMax;
  for (const name of newestFirst) {
    if (bytesLeft === 0) break;
    const bytes = await readTailIfThere(join(directory, name), bytesLeft);
    oldestFirst.unshift(bytes);
    bytesLeft -= bytes.byteLength;
  }
  return Buffer.concat(oldestFirst);
}

/** Empty if the file was rotated or cleaned up in this moment, or if nothing was logged yet. */
async function readTailIfThere(path: string, bytesMax: number): Promise<Uint8Array> {
  try {
    return await readTail(path, bytesMax);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return new Uint8Array(0);
    throw error;
  }
}

async function readTail(path: string, bytesMax: number): Promise<Uint8Array> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(Math.min(size, bytesMax));
    const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, size - bytes.byteLength);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
