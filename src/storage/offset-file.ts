// The file of one stored offset: eight bytes, little-endian (spec SB 3.9).
import { assert } from "../platform/assert.ts";
import type { StorageContext } from "./types.ts";

export const offsetBytes = 8;

// Every call that uses these is synchronous. One byte more than a file has: a longer one is noticed.
const bytes = new Uint8Array(offsetBytes + 1);
const view = new DataView(bytes.buffer);

/** Undefined for a file that is torn. Throws `DiskError`. */
export function readOffset({ disk, files }: StorageContext, path: string): number | undefined {
  return files.withRoom(() => {
    const file = disk.open(path, "read");
    try {
      if (file.read(bytes, 0) !== offsetBytes) return undefined;
    } finally {
      file.close();
    }
    const offset = Number(view.getBigUint64(0, true));
    assert(offset >= 0, "an offset is not negative");
    return offset;
  });
}
