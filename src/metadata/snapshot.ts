/**
 * Snapshot of the metadata state, so that a start reads the last few thousand log entries instead of all.
 *
 *   0  8  magic "WHIPMETA"
 *   8  8  XXH3-64 over everything behind it
 *  16  4  version
 *  20  8  index of the last log entry it contains
 *  28  n  the state as MessagePack
 *
 * Two generations are kept, and the log since the older one: whichever snapshot is damaged, the other and the log give the
 * same state. In the order of `replaceSnapshot` this holds at every moment, a crash between two steps included.
 */
import { assert } from "../platform/assert.ts";
import type { Disk } from "../platform/disk.ts";
import { type MetadataPaths, readFile, writeFile } from "./files.ts";
import { decodePlain, encodePlain } from "./plain-data.ts";
import { fromPlainState, type PlainState, toPlainState } from "./plain-state.ts";
import type { MetadataState } from "./state.ts";

const SnapshotLayout = { magic: 0, checksum: 8, version: 16, lastIndex: 20, payload: 28 } as const;
const magic = new TextEncoder().encode("WHIPMETA");
/** 1: without tokens and consumer groups. Both are read, only the newest is written. */
const version = 2;
const oldestVersion = 1;

export interface Snapshot {
  readonly state: MetadataState;
  /** Index of the last log entry in `state`; 0: none. */
  readonly lastIndex: number;
}

export function encodeSnapshot({ state, lastIndex }: Snapshot): Uint8Array {
  const payload = encodePlain(toPlainState(state));
  const bytes = new Uint8Array(SnapshotLayout.payload + payload.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(magic, SnapshotLayout.magic);
  view.setUint32(SnapshotLayout.version, version, true);
  view.setBigUint64(SnapshotLayout.lastIndex, BigInt(lastIndex), true);
  bytes.set(payload, SnapshotLayout.payload);
  view.setBigUint64(SnapshotLayout.checksum, checksumOf(bytes), true);
  return bytes;
}

/** Undefined if the bytes are damaged. Throws on an intact snapshot of another version: that one must not be given up. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot | undefined {
  if (bytes.byteLength < SnapshotLayout.payload) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (magic.some((byte, index) => bytes[index] !== byte)) return undefined;
  if (view.getBigUint64(SnapshotLayout.checksum, true) !== checksumOf(bytes)) return undefined;
  const found = view.getUint32(SnapshotLayout.version, true);
  const isKnown = found >= oldestVersion && found <= version;
  assert(isKnown, "the metadata snapshot is of a version that this broker knows", { found, version });
  const plain = decodePlain(bytes.subarray(SnapshotLayout.payload)) as PlainState;
  return { state: fromPlainState(plain), lastIndex: Number(view.getBigUint64(SnapshotLayout.lastIndex, true)) };
}

/** What stands at `path`. */
export function readSnapshot(disk: Disk, path: string): Snapshot | "missing" | "damaged" {
  const bytes = readFile(disk, path);
  if (bytes === undefined) return "missing";
  return decodeSnapshot(bytes) ?? "damaged";
}

/** Makes `snapshot` the newest one; the newest so far becomes the previous one. Durable when it returns. */
export function replaceSnapshot(disk: Disk, paths: MetadataPaths, snapshot: Snapshot): void {
  writeFile(disk, paths.newSnapshot, encodeSnapshot(snapshot));
  if (disk.exists(paths.snapshot)) {
    disk.syncDirectory(paths.directory); // the new one's name, before the old one loses its own
    disk.rename(paths.snapshot, paths.previousSnapshot);
  }
  disk.rename(paths.newSnapshot, paths.snapshot);
  disk.syncDirectory(paths.directory);
}

/** Both generations become `snapshot`: nothing in the logs is needed any more. Durable when it returns. */
export function replaceBothSnapshots(disk: Disk, paths: MetadataPaths, snapshot: Snapshot): void {
  const bytes = encodeSnapshot(snapshot);
  for (const path of [paths.snapshot, paths.previousSnapshot]) {
    writeFile(disk, paths.newSnapshot, bytes);
    disk.rename(paths.newSnapshot, path);
    disk.syncDirectory(paths.directory);
  }
}

function checksumOf(bytes: Uint8Array): bigint {
  return Bun.hash.xxHash3(bytes.subarray(SnapshotLayout.version));
}
