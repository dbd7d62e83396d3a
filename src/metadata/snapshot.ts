/**
 * Snapshot of the metadata state, so that a start reads the last few thousand log entries instead of all.
 *
 *   0  8  magic "WHIPMETA"
 *   8  8  XXH3-64 over everything behind it
 *  16     one copy, then the same bytes again, so that a flipped bit in one is made good by the other:
 *           0  4  version; its highest bit says that the payload is encrypted
 *           4  8  index of the last log entry it contains
 *          12  8  payload length
 *          20  n  payload: the state as MessagePack
 *              8  XXH3-64 over the copy up to here
 *
 * The version is that of the whole data directory, whose newest snapshot a start reads before it touches anything else. So
 * that every version knows one that it cannot read, all of them keep the first 20 bytes. In versions 1 and 2 the payload
 * begins at 28 and goes to the end of the file.
 *
 * Two generations are kept, and the log since the older one: whichever snapshot is damaged, the other and the log give the
 * same state. In the order of `replaceSnapshot` this holds at every moment, a crash between two steps included.
 */
import type { Disk } from "../platform/disk.ts";
import { decryptPayload, type MetadataCipher } from "./cipher.ts";
import { type MetadataPaths, readFile, writeFile } from "./files.ts";
import { decodePlain, encodePlain } from "./plain-data.ts";
import { fromPlainState, type PlainState, toPlainState } from "./plain-state.ts";
import type { MetadataState } from "./state.ts";

const FileLayout = { magic: 0, checksum: 8, copies: 16 } as const;
/** From the start of a copy. */
const CopyLayout = { version: 0, lastIndex: 4, payloadLength: 12, payload: 20 } as const;
const checksumBytes = 8;
const magic = new TextEncoder().encode("WHIPMETA");
/**
 * 1: without tokens and consumer groups; 2: version 0.1.0, in one copy; 3: in two copies, with what came since then and 0.1.0
 * would drop (ids of logs, removals, the options of topics), and in no release yet. All are read, only the newest is written.
 */
const version = 3;
const oldestVersion = 1;
const firstDoubledVersion = 3;
/** Where the payload begins in the one copy of an earlier version. */
const oldPayload = 12;
const encryptedFlag = 2 ** 31;

/** The data directory is of a version that this program does not know. The start stops; nothing was changed. */
export class DataVersionError extends Error {
  override readonly name = "DataVersionError";

  constructor(path: string, found: number) {
    const known = `this program knows versions ${oldestVersion} to ${version}`;
    const advice = found > version ? "a newer one wrote it: use that one or a later one" : "it is too old to be read";
    super(`${path} is of data version ${found}; ${known}, and ${advice}. Nothing was changed.`);
  }
}

export interface Snapshot {
  readonly state: MetadataState;
  /** Index of the last log entry in `state`; 0: none. */
  readonly lastIndex: number;
}

/** As it was found in a file. */
export interface FoundSnapshot extends Snapshot {
  /** One of its copies is damaged. */
  readonly isCorrected: boolean;
  /** Of the newest version. */
  readonly isCurrent: boolean;
}

/** An intact snapshot whose payload was not looked into. */
interface ParsedSnapshot {
  readonly version: number;
  readonly lastIndex: number;
  readonly isEncrypted: boolean;
  readonly isCorrected: boolean;
  readonly payload: Uint8Array;
}

type SnapshotCopy = Omit<ParsedSnapshot, "isCorrected">;

export function encodeSnapshot({ state, lastIndex }: Snapshot, cipher?: MetadataCipher): Uint8Array {
  const clear = encodePlain(toPlainState(state));
  const payload = cipher === undefined ? clear : cipher.encrypt(clear);
  const copyBytes = CopyLayout.payload + payload.byteLength + checksumBytes;
  const bytes = new Uint8Array(FileLayout.copies + 2 * copyBytes);
  const copy = bytes.subarray(FileLayout.copies, FileLayout.copies + copyBytes);
  const view = viewOf(copy);
  view.setUint32(CopyLayout.version, version + (cipher === undefined ? 0 : encryptedFlag), true);
  view.setBigUint64(CopyLayout.lastIndex, BigInt(lastIndex), true);
  view.setBigUint64(CopyLayout.payloadLength, BigInt(payload.byteLength), true);
  copy.set(payload, CopyLayout.payload);
  const contentBytes = copyBytes - checksumBytes;
  view.setBigUint64(contentBytes, checksumOf(copy.subarray(0, contentBytes)), true);
  bytes.copyWithin(FileLayout.copies + copyBytes, FileLayout.copies, FileLayout.copies + copyBytes);
  bytes.set(magic, FileLayout.magic);
  viewOf(bytes).setBigUint64(FileLayout.checksum, checksumOf(bytes.subarray(FileLayout.copies)), true);
  return bytes;
}

/** Undefined if the bytes are damaged. Throws `DataVersionError` on intact ones of another version. `path`: for the error. */
export function parseSnapshot(bytes: Uint8Array, path = "the metadata snapshot"): ParsedSnapshot | undefined {
  const copies = bytes.subarray(FileLayout.copies);
  const isWhole =
    copies.byteLength >= oldPayload &&
    magic.every((byte, index) => bytes[index] === byte) &&
    viewOf(bytes).getBigUint64(FileLayout.checksum, true) === checksumOf(copies);
  if (isWhole) {
    const { version: found } = headerOf(copies);
    if (found < oldestVersion || found > version) throw new DataVersionError(path, found);
    if (found < firstDoubledVersion) {
      return { ...headerOf(copies), isCorrected: false, payload: copies.subarray(oldPayload) };
    }
  }
  const copy = readCopy(copies) ?? readCopy(copies.subarray(Math.floor(copies.byteLength / 2)));
  if (copy === undefined) return undefined;
  if (copy.version < oldestVersion || copy.version > version) throw new DataVersionError(path, copy.version);
  return { ...copy, isCorrected: !isWhole };
}

/** The copy that begins with the first of `bytes`, if it is intact. */
function readCopy(bytes: Uint8Array): SnapshotCopy | undefined {
  const room = bytes.byteLength - CopyLayout.payload - checksumBytes;
  if (room < 0) return undefined;
  const view = viewOf(bytes);
  const payloadLength = view.getBigUint64(CopyLayout.payloadLength, true);
  if (payloadLength > BigInt(room)) return undefined;
  const end = CopyLayout.payload + Number(payloadLength);
  if (view.getBigUint64(end, true) !== checksumOf(bytes.subarray(0, end))) return undefined;
  return { ...headerOf(bytes), payload: bytes.subarray(CopyLayout.payload, end) };
}

/** What stands at the same place in every version. */
function headerOf(copy: Uint8Array): Omit<SnapshotCopy, "payload"> {
  const view = viewOf(copy);
  const word = view.getUint32(CopyLayout.version, true);
  return {
    version: word % encryptedFlag,
    isEncrypted: word >= encryptedFlag,
    lastIndex: Number(view.getBigUint64(CopyLayout.lastIndex, true)),
  };
}

/**
 * What stands at `path`. Throws `MetadataKeyError` where it is encrypted and `cipher` does not fit, `DataVersionError` where
 * it is of another version.
 */
export function readSnapshot(disk: Disk, path: string, cipher?: MetadataCipher): FoundSnapshot | "missing" | "damaged" {
  const bytes = readFile(disk, path);
  if (bytes === undefined) return "missing";
  const parsed = parseSnapshot(bytes, path);
  if (parsed === undefined) return "damaged";
  const { lastIndex, isEncrypted, isCorrected, payload } = parsed;
  const clear = isEncrypted ? decryptPayload(payload, cipher, path) : payload;
  const state = fromPlainState(decodePlain(clear) as PlainState);
  return { state, lastIndex, isCorrected, isCurrent: parsed.version === version };
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
  return Bun.hash.xxHash3(bytes);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
