/**
 * Snapshot of the metadata state, so that a start reads the last few thousand log entries instead of all.
 *
 *   0  8  magic "WHIPMETA"
 *   8  8  XXH3-64 over everything behind it
 *  16  4  version; its highest bit says that the payload is encrypted
 *  20  8  index of the last log entry it contains
 *  28  n  the state as MessagePack
 *
 * Two generations are kept, and the log since the older one: whichever snapshot is damaged, the other and the log give the
 * same state. In the order of `replaceSnapshot` this holds at every moment, a crash between two steps included.
 */
import { assert } from "../platform/assert.ts";
import type { Disk } from "../platform/disk.ts";
import { decryptPayload, type MetadataCipher } from "./cipher.ts";
import { type MetadataPaths, readFile, writeFile } from "./files.ts";
import { decodePlain, encodePlain } from "./plain-data.ts";
import { fromPlainState, type PlainState, toPlainState } from "./plain-state.ts";
import type { MetadataState } from "./state.ts";

const SnapshotLayout = { magic: 0, checksum: 8, version: 16, lastIndex: 20, payload: 28 } as const;
const magic = new TextEncoder().encode("WHIPMETA");
/** 1: without tokens and consumer groups. Both are read, only the newest is written. */
const version = 2;
const oldestVersion = 1;
const encryptedFlag = 2 ** 31;

export interface Snapshot {
  readonly state: MetadataState;
  /** Index of the last log entry in `state`; 0: none. */
  readonly lastIndex: number;
}

/** An intact snapshot whose payload was not looked into. */
interface ParsedSnapshot {
  readonly lastIndex: number;
  readonly isEncrypted: boolean;
  readonly payload: Uint8Array;
}

export function encodeSnapshot({ state, lastIndex }: Snapshot, cipher?: MetadataCipher): Uint8Array {
  const clear = encodePlain(toPlainState(state));
  const payload = cipher === undefined ? clear : cipher.encrypt(clear);
  const bytes = new Uint8Array(SnapshotLayout.payload + payload.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(magic, SnapshotLayout.magic);
  view.setUint32(SnapshotLayout.version, version + (cipher === undefined ? 0 : encryptedFlag), true);
  view.setBigUint64(SnapshotLayout.lastIndex, BigInt(lastIndex), true);
  bytes.set(payload, SnapshotLayout.payload);
  view.setBigUint64(SnapshotLayout.checksum, checksumOf(bytes), true);
  return bytes;
}

/** Undefined if the bytes are damaged. Throws on an intact snapshot of another version: that one must not be given up. */
export function parseSnapshot(bytes: Uint8Array): ParsedSnapshot | undefined {
  if (bytes.byteLength < SnapshotLayout.payload) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (magic.some((byte, index) => bytes[index] !== byte)) return undefined;
  if (view.getBigUint64(SnapshotLayout.checksum, true) !== checksumOf(bytes)) return undefined;
  const word = view.getUint32(SnapshotLayout.version, true);
  const found = word % encryptedFlag;
  const isKnown = found >= oldestVersion && found <= version;
  assert(isKnown, "the metadata snapshot is of a version that this broker knows", { found, version });
  return {
    lastIndex: Number(view.getBigUint64(SnapshotLayout.lastIndex, true)),
    isEncrypted: word >= encryptedFlag,
    payload: bytes.subarray(SnapshotLayout.payload),
  };
}

/** What stands at `path`. Throws `MetadataKeyError` where it is encrypted and `cipher` does not fit. */
export function readSnapshot(disk: Disk, path: string, cipher?: MetadataCipher): Snapshot | "missing" | "damaged" {
  const bytes = readFile(disk, path);
  if (bytes === undefined) return "missing";
  const parsed = parseSnapshot(bytes);
  if (parsed === undefined) return "damaged";
  const { lastIndex, isEncrypted, payload } = parsed;
  const clear = isEncrypted ? decryptPayload(payload, cipher, path) : payload;
  return { state: fromPlainState(decodePlain(clear) as PlainState), lastIndex };
}

/** Makes `snapshot` the newest one; the newest so far becomes the previous one. Durable when it returns. */
export function replaceSnapshot(
  disk: Disk,
  paths: MetadataPaths,
  snapshot: Snapshot,
  cipher: MetadataCipher | undefined,
): void {
  writeFile(disk, paths.newSnapshot, encodeSnapshot(snapshot, cipher));
  if (disk.exists(paths.snapshot)) {
    disk.syncDirectory(paths.directory); // the new one's name, before the old one loses its own
    disk.rename(paths.snapshot, paths.previousSnapshot);
  }
  disk.rename(paths.newSnapshot, paths.snapshot);
  disk.syncDirectory(paths.directory);
}

/** Both generations become `snapshot`: nothing in the logs is needed any more. Durable when it returns. */
export function replaceBothSnapshots(
  disk: Disk,
  paths: MetadataPaths,
  snapshot: Snapshot,
  cipher: MetadataCipher | undefined,
): void {
  const bytes = encodeSnapshot(snapshot, cipher);
  for (const path of [paths.snapshot, paths.previousSnapshot]) {
    writeFile(disk, paths.newSnapshot, bytes);
    disk.rename(paths.newSnapshot, path);
    disk.syncDirectory(paths.directory);
  }
}

function checksumOf(bytes: Uint8Array): bigint {
  return Bun.hash.xxHash3(bytes.subarray(SnapshotLayout.version));
}
