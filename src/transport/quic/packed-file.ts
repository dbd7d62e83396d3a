// Files that a single-file executable carries compressed and that must lie on the disk to be used. One is unpacked on first
// use and kept; what an interrupted unpacking or a damaged disk left behind is noticed by size and checksums, and replaced. Nobody but
// its owner can write there, so no more is asked of the checksums: XXH3 of 100 MB takes a tenth of the time that SHA-256 takes.
import { randomUUID } from "node:crypto";
import { lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface PackedFile {
  /** Of the compressed bytes (zstd frames, one after the other); inside the executable. */
  readonly path: string;
  /** They are unpacked one at a time, so that memory for the whole file is never needed. */
  readonly frames: readonly PackedFrame[];
  /** Of the unpacked file. Differs for different contents, so that versions do not get in each other's way. */
  readonly name: string;
  /** Unpacked. */
  readonly sizeBytes: number;
}

export interface PackedFrame {
  /** Compressed. */
  readonly packedBytes: number;
  /** Unpacked. */
  readonly sizeBytes: number;
  /** XXH3-64 of the unpacked bytes, hexadecimal. */
  readonly checksum: string;
}

/** Nobody unpacks for longer; the process that wrote such a file has gone. */
const leftoverAgeMs = 10 * 60_000;

/** What is to be known of a frame, for one that makes it. */
export function describeFrame(unpacked: Uint8Array, packedBytes: number): PackedFrame {
  return { packedBytes, sizeBytes: unpacked.byteLength, checksum: checksumOf(unpacked) };
}

function checksumOf(bytes: Uint8Array): string {
  return Bun.hash.xxHash3(bytes).toString(16);
}

/**
 * Path of the unpacked file in `directory`, which is made if missing, for its owner only. Throws if the directory is
 * somebody else's or open to others (what lies there is executed), and if the file cannot be written.
 */
export async function unpackFile(packed: PackedFile, directory: string): Promise<string> {
  await prepareDirectory(directory);
  const path = join(directory, packed.name);
  if (await isIntact(packed, path)) return path;
  await removeLeftovers(path);
  // Under another name first: nobody ever sees half a file, and a running program keeps the file that it was started from.
  const unfinishedPath = `${path}.${randomUUID()}`;
  try {
    await writeUnpacked(packed, unfinishedPath);
    if (!(await isIntact(packed, unfinishedPath))) throw new Error(`${packed.name} is damaged inside the executable`);
    await rename(unfinishedPath, path);
  } finally {
    await rm(unfinishedPath, { force: true });
  }
  return path;
}

async function prepareDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { uid, mode } = await stat(directory);
  if (uid !== process.getuid?.()) throw new Error(`${directory} belongs to another user`);
  if ((mode & 0o022) !== 0) throw new Error(`${directory} can be written by others`);
}

async function writeUnpacked({ path, frames }: PackedFile, unpackedPath: string): Promise<void> {
  await using output = await open(unpackedPath, "wx", 0o700);
  const input = Bun.file(path);
  let position = 0;
  for (const { packedBytes } of frames) {
    const frame = await input.slice(position, position + packedBytes).arrayBuffer();
    const bytes = await Bun.zstdDecompress(frame);
    await output.writeFile(bytes);
    // Given back at once; left to the collector, they would pile up to the size of the file.
    for (const buffer of [frame, bytes.buffer]) if (buffer instanceof ArrayBuffer) buffer.transfer(0);
    position += packedBytes;
  }
}

async function isIntact({ sizeBytes, frames }: PackedFile, path: string): Promise<boolean> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts === undefined || !facts.isFile() || facts.size !== sizeBytes || (facts.mode & 0o100) === 0) return false;
  const buffer = new Uint8Array(Math.max(...frames.map((frame) => frame.sizeBytes)));
  await using file = await open(path, "r");
  let position = 0;
  for (const frame of frames) {
    const { bytesRead } = await file.read(buffer, 0, frame.sizeBytes, position);
    if (bytesRead !== frame.sizeBytes || checksumOf(buffer.subarray(0, bytesRead)) !== frame.checksum) return false;
    position += bytesRead;
  }
  return position === sizeBytes;
}

/** Of processes that were killed while they unpacked the same file. */
async function removeLeftovers(path: string): Promise<void> {
  const directory = dirname(path);
  for (const name of await readdir(directory)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const leftover = join(directory, name);
    const facts = await lstat(leftover).catch(() => undefined); // another process may finish with it now
    if (facts !== undefined && Date.now() - facts.mtimeMs > leftoverAgeMs) await rm(leftover, { force: true });
  }
}
