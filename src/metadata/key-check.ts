import type { Disk } from "../platform/disk.ts";
import { decryptPayload, type MetadataCipher } from "./cipher.ts";
import { type MetadataPaths, readFile } from "./files.ts";
import { type LogContent, readLog } from "./log-entries.ts";
import { parseSnapshot } from "./snapshot.ts";

/**
 * Before anything is read in earnest, let alone repaired: throws `MetadataKeyError` where `cipher` does not fit what is on
 * the disk, `DataVersionError` where that is of a version that this program does not know. Returns whether some of it is in
 * clear.
 */
export function checkKey(
  disk: Disk,
  paths: MetadataPaths,
  cipher: MetadataCipher | undefined,
  logs: readonly LogContent[] = [readLog(disk, paths.log), readLog(disk, paths.previousLog)],
): boolean {
  let holdsClearText = false;
  for (const path of [paths.snapshot, paths.previousSnapshot, paths.newSnapshot]) {
    const bytes = readFile(disk, path);
    const snapshot = bytes && parseSnapshot(bytes, path);
    if (snapshot === undefined) continue; // missing or damaged
    if (snapshot.isEncrypted) decryptPayload(snapshot.payload, cipher, path);
    else holdsClearText = true;
  }
  for (const { path, entries } of logs) {
    // No broker appends with another key than it opened the file with: if the ends fit, all of it does.
    const encrypted = entries.filter((entry) => entry.isEncrypted);
    for (const entry of [encrypted[0], encrypted.at(-1)]) {
      if (entry !== undefined) decryptPayload(entry.payload, cipher, path);
    }
    if (encrypted.length < entries.length) holdsClearText = true;
  }
  return holdsClearText;
}
