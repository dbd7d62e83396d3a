// Copies of files that are durable when they are done, with a bounded buffer, while the event loop turns.
import { constants } from "node:fs";
import { copyFile, link, open } from "node:fs/promises";

const bufferBytes = 4 * 1024 * 1024;
const fileMode = 0o600;
/** A second name cannot be given: another file system, one without them, or another owner. */
const unlinkableCodes: ReadonlySet<string> = new Set(["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "EACCES"]);

export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of bytes that are there now. */
  readonly onBytes: (count: number) => void;
}

/** The first `sizeBytes` of a file. Rejects where it has fewer. */
export async function copyPart(from: string, to: string, sizeBytes: number, options: CopyOptions): Promise<void> {
  const source = await open(from, "r");
  try {
    const target = await open(to, "wx", fileMode);
    try {
      const buffer = Buffer.allocUnsafe(Math.min(bufferBytes, Math.max(1, sizeBytes)));
      for (let position = 0; position < sizeBytes; ) {
        options.signal?.throwIfAborted();
        const wanted = Math.min(buffer.byteLength, sizeBytes - position);
        const { bytesRead } = await source.read(buffer, 0, wanted, position);
        if (bytesRead === 0) throw new Error(`${from} ends at ${position}, before its ${sizeBytes} bytes`);
        for (let written = 0; written < bytesRead; ) {
          const { bytesWritten } = await target.write(buffer, written, bytesRead - written, position + written);
          written += bytesWritten;
        }
        position += bytesRead;
        options.onBytes(bytesRead);
      }
      await target.datasync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** A whole file; shares its blocks where the file system can. */
export async function copyWhole(from: string, to: string, options: CopyOptions): Promise<void> {
  options.signal?.throwIfAborted();
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  options.onBytes(await syncFile(to));
}

/** A second name for a file that does not change any more; false where the file system has none. */
export async function linkWhole(from: string, to: string, options: CopyOptions): Promise<boolean> {
  options.signal?.throwIfAborted();
  try {
    await link(from, to);
  } catch (error) {
    if (error instanceof Error && "code" in error && unlinkableCodes.has(String(error.code))) return false;
    throw error;
  }
  options.onBytes(await syncFile(to));
  return true;
}

export async function writeDurably(path: string, bytes: string | Uint8Array): Promise<void> {
  const file = await open(path, "w", fileMode);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The names in it are durable afterwards. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Its size. */
async function syncFile(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    await file.datasync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
