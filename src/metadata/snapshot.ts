/**
 * Snapshot of the metadata state, so that a start reads the last few thousand log entries instead of all. The same bytes
 * twice, so that a flipped bit in one copy is made good by the other:
 *
 *   0  8  magic "WHIPMETA"
 *   8  8  XXH3-64 over everything behind it
 *  16  4  version; its highest bit says that the payload is encrypted
 *  20  8  index of the last log entry it contains
 *  28  8  payload length
 *  36  n  the state as MessagePack
 *
 * The version is that of the whole data directory, whose newest snapshot a start reads before it touches anything else.
 * Every later version leaves the fields up to the payload length where they are. Versions 1 and 2 have one copy and no
 * payload length: the payload begins at 28.
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

const Layout = { magic: 0, checksum: 8, version: 16, lastIndex: 20, payloadLength: 28, payload: 36 } as const;
const magic = new TextEncoder().encode("WHIPMETA");
/** 1: without tokens and consumer groups; 2: version 0.1.0, in one copy. All are read, only the newest is written. */
const version = 3;
const oldestVersion = 1;
const firstDoubledVersion = 3;
/** Where the payload begins in a version with one copy. */
const oldPayload = 28;
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

type SnapshotCopy = Omit<ParsedSnapshot, "isCorrected"> & { readonly end: number };

export function encodeSnapshot({ state, lastIndex }: Snapshot, cipher?: MetadataCipher): Uint8Array {
  const clear = encodePlain(toPlainState(state));
  const payload = cipher === undefined ? clear : cipher.encrypt(clear);
  const sizeBytes = Layout.payload + payload.byteLength;
  const bytes = new Uint8Array(2 * sizeBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(magic, Layout.magic);
  view.setUint32(Layout.version, version + (cipher === undefined ? 0 : encryptedFlag), true);
  view.setBigUint64(Layout.lastIndex, BigInt(lastIndex), true);
  view.setBigUint64(Layout.payloadLength, BigInt(payload.byteLength), true);
  bytes.set(payload, Layout.payload);
  view.setBigUint64(Layout.checksum, checksumOf(bytes.subarray(0, sizeBytes)), true);
  bytes.copyWithin(sizeBytes, 0, sizeBytes);
  return bytes;
}

/** Undefined if the bytes are damaged. Throws `DataVersionError` on intact ones of another version. `path`: for the error. */
export function parseSnapshot(bytes: Uint8Array, path = "the metadata snapshot"): ParsedSnapshot | undefined {
  const first = readCopy(bytes);
  const rest = bytes.subarray(first?.end ?? Math.floor(bytes.byteLength / 2));
  const second = first === undefined || rest.byteLength > 0 ? readCopy(rest) : undefined;
  const found = first ?? second;
  if (found === undefined) return undefined;
  if (found.version < oldestVersion || found.version > version) throw new DataVersionError(path, found.version);
  const isDoubled = found.version >= firstDoubledVersion;
  const isWhole = first !== undefined && second?.end === rest.byteLength;
  return { ...found, isCorrected: isDoubled && !isWhole };
}

/** The copy that begins with the first of `bytes`, if it is intact. */
function readCopy(bytes: Uint8Array): SnapshotCopy | undefined {
  if (bytes.byteLength < oldPayload) return undefined;
  if (magic.some((byte, index) => bytes[index] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = view.getUint32(Layout.version, true);
  const isDoubled = word % encryptedFlag >= firstDoubledVersion;
  if (isDoubled && bytes.byteLength < Layout.payload) return undefined;
  const payloadLength = isDoubled ? view.getBigUint64(Layout.payloadLength, true) : 0n;
  if (payloadLength > BigInt(bytes.byteLength - Layout.payload) && isDoubled) return undefined;
  const end = isDoubled ? Layout.payload + Number(payloadLength) : bytes.byteLength;
  if (view.getBigUint64(Layout.checksum, true) !== checksumOf(bytes.subarray(0, end))) return undefined;
  return {
    version: word % encryptedFlag,
    lastIndex: Number(view.getBigUint64(Layout.lastIndex, true)),
    isEncrypted: word >= encryptedFlag,
    payload: bytes.subarray(isDoubled ? Layout.payload : oldPayload, end),
    end,
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
  return Bun.hash.xxHash3(bytes.subarray(Layout.version));
}
