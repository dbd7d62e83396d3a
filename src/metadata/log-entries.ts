/**
 * Layout of the metadata log: records one after the other, little-endian. Every entry is there twice, the second time right
 * behind the first, so that a flipped bit in one is made good by the other.
 *
 *   0  4  payload length; 0: a mark, which says that everything up to its index is durable
 *   4  8  XXH3-64 over everything from the index on
 *  12  8  index, counting from 1; its highest bit says that the payload is encrypted, the next one is set
 *  20  4  how many entries before this one were not known to be durable when it was written; 2^32 - 1: not known
 *  24  4  stamp of the system's boot; 0: not known
 *  28  4  lower half of the checksum of the entry before it; 0: not known
 *  32  n  payload: one event as MessagePack
 *
 * Version 0.1.0 wrote each entry once, without the fields at 20, 24 and 28 and without the bit that says that they are there.
 *
 * Checksums decide what a record is, not lengths: where none begins, the next one is looked for byte by byte. A record with
 * a number that was there before, or that follows another entry than the one found, is left from a write that was refused.
 */
import type { Disk } from "../platform/disk.ts";
import { readFile } from "./files.ts";

const Layout = {
  payloadLength: 0,
  checksum: 4,
  index: 12,
  unsyncedCount: 20,
  bootStamp: 24,
  previous: 28,
  payload: 32,
} as const;

/** Where the payload began in version 0.1.0. */
const oldPayload = 20;

/** In the upper half of the index. */
const encryptedFlag = 0x8000_0000;
const doubledFlag = 0x4000_0000;

const unknownCount = 0xffff_ffff;

/** What an entry says about those before it. */
export interface EntryContext {
  /** Everything up to this index is durable; undefined: not known. */
  readonly syncedIndex?: number | undefined;
  /** 0: not known. */
  readonly bootStamp?: number;
  /** `linkOf` the entry before it; 0: not known. */
  readonly previous?: number;
}

export interface LogEntry {
  readonly index: number;
  /** Where the first intact one of its two records starts in its file, and where the place of both ends. */
  readonly position: number;
  readonly end: number;
  readonly isEncrypted: boolean;
  /** A view into the scanned bytes. */
  readonly payload: Uint8Array;
  /** One of its two records is damaged. */
  readonly isCorrected: boolean;
  /** Version 0.1.0 wrote it, once. */
  readonly isOld: boolean;
  readonly syncedIndex: number;
  readonly bootStamp: number;
  readonly link: number;
}

export interface ScannedLog {
  /** In ascending index; where one is missing, it is damaged beyond repair, or was never there. */
  readonly entries: readonly LogEntry[];
  /** Everything up to this index was durable, says what is in the file. */
  readonly syncedIndex: number;
  /** Bytes between entries that belong to none, without the damaged records of entries that are there. */
  readonly strayBytes: number;
  /** One of the two records of a mark is damaged. */
  readonly hasCorrectedMark: boolean;
  /** What is behind this is a torn tail. */
  readonly intactBytes: number;
}

/** A log file as it was found. */
export interface LogContent extends ScannedLog {
  readonly path: string;
  readonly sizeBytes: number;
}

interface LogRecord {
  readonly position: number;
  readonly end: number;
  readonly index: number;
  readonly isOld: boolean;
  readonly isEncrypted: boolean;
  readonly isMark: boolean;
  readonly unsyncedCount: number;
  readonly bootStamp: number;
  readonly previous: number;
  readonly link: number;
  readonly payload: Uint8Array;
}

/** Both records of one entry, whose payload is encrypted already where `isEncrypted` says so. */
export function encodeEntry(
  index: number,
  payload: Uint8Array,
  isEncrypted = false,
  { syncedIndex, bootStamp = 0, previous = 0 }: EntryContext = {},
): Uint8Array {
  const sizeBytes = Layout.payload + payload.byteLength;
  const bytes = new Uint8Array(2 * sizeBytes);
  const view = new DataView(bytes.buffer);
  const flags = doubledFlag + (isEncrypted ? encryptedFlag : 0);
  view.setUint32(Layout.payloadLength, payload.byteLength, true);
  view.setUint32(Layout.index, index >>> 0, true);
  view.setUint32(Layout.index + 4, Math.floor(index / 2 ** 32) + flags, true);
  view.setUint32(Layout.unsyncedCount, syncedIndex === undefined ? unknownCount : index - 1 - syncedIndex, true);
  view.setUint32(Layout.bootStamp, bootStamp, true);
  view.setUint32(Layout.previous, previous, true);
  bytes.set(payload, Layout.payload);
  view.setBigUint64(Layout.checksum, checksumOf(bytes.subarray(Layout.index, sizeBytes)), true);
  bytes.copyWithin(sizeBytes, 0, sizeBytes);
  return bytes;
}

/** Says that everything up to `lastIndex` is durable. */
export function encodeMark(lastIndex: number): Uint8Array {
  return encodeEntry(lastIndex, new Uint8Array(0), false, { syncedIndex: lastIndex - 1 });
}

/** Names an entry to the one behind it. */
export function linkOf(entryBytes: Uint8Array): number {
  return new DataView(entryBytes.buffer, entryBytes.byteOffset).getUint32(Layout.checksum, true);
}

/** The 32 bits by which entries know that the system has not been started anew since; undefined: not known. */
export function bootStampOf(bootId: string | undefined): number {
  return bootId === undefined ? 0 : Number(Bun.hash.xxHash3(bootId) & 0xffff_ffffn) || 1;
}

/** Everything in `bytes` that is intact. */
export function scanEntries(bytes: Uint8Array): ScannedLog {
  const scan = new Scan(bytes.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let position = 0; position < bytes.byteLength; ) {
    const record = readRecord(bytes, view, position);
    if (record === undefined) position++;
    else {
      const isTwice = !record.isOld && isRepeated(bytes, position, record.end);
      scan.add(record, isTwice);
      position = isTwice ? 2 * record.end - position : record.end;
    }
  }
  return scan.result();
}

/** The log at `path`; without entries where there is none. Throws `DiskError`. */
export function readLog(disk: Disk, path: string): LogContent {
  const bytes = readFile(disk, path) ?? new Uint8Array(0);
  return { ...scanEntries(bytes), path, sizeBytes: bytes.byteLength };
}

/** Puts the records of a file together. */
class Scan {
  readonly #sizeBytes: number;
  readonly #entries: LogEntry[] = [];
  /** The last entry or mark, as it was found first; the bytes before it that belong to nothing. */
  #last: LogRecord | undefined;
  #gapBytes = 0;
  /** Its second record was found too, or there is none. */
  #isComplete = false;
  /** Where the place of the last entry or mark ends. */
  #end = 0;
  #syncedIndex = 0;
  #strayBytes = 0;
  #hasCorrectedMark = false;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** `isTwice`: the same bytes follow. */
  add(record: LogRecord, isTwice: boolean): void {
    const lastIndex = this.#entries.at(-1)?.index ?? 0;
    if (record.isMark ? record.index < lastIndex : !this.#follows(record)) return; // left from what was refused
    this.#closeLast(record.position);
    this.#gapBytes = record.position - this.#end;
    this.#strayBytes += this.#gapBytes;
    this.#last = record;
    this.#isComplete = record.isOld || isTwice;
    this.#end = isTwice ? 2 * record.end - record.position : record.end;
    this.#syncedIndex = Math.max(this.#syncedIndex, syncedIndexOf(record));
    if (!record.isMark) this.#entries.push(entryOf(record, this.#end));
  }

  result(): ScannedLog {
    this.#closeLast(this.#sizeBytes);
    return {
      entries: this.#entries,
      syncedIndex: this.#syncedIndex,
      strayBytes: this.#strayBytes,
      hasCorrectedMark: this.#hasCorrectedMark,
      intactBytes: this.#end,
    };
  }

  #follows({ index, previous }: LogRecord): boolean {
    const last = this.#entries.at(-1);
    if (last === undefined || index > last.index + 1) return true;
    return index === last.index + 1 && (previous === 0 || previous === last.link);
  }

  /** Decides about the second record of the last one, now that what comes next, or the end, is known to be at `limit`. */
  #closeLast(limit: number): void {
    const last = this.#last;
    if (last === undefined || this.#isComplete) return;
    const sizeBytes = last.end - last.position;
    // Damaged behind the one that was found, or before it. Otherwise it is torn off.
    const isBehind = this.#end + sizeBytes <= limit;
    const isBefore = !isBehind && this.#gapBytes >= sizeBytes;
    if (isBehind) this.#end += sizeBytes;
    if (isBefore) this.#strayBytes -= sizeBytes;
    const isCorrected = isBehind || isBefore;
    if (last.isMark) this.#hasCorrectedMark ||= isCorrected;
    else this.#entries.push({ ...this.#entries.pop()!, end: this.#end, isCorrected });
  }
}

/** Whether the bytes from `start` to `end` are there once more right behind. */
function isRepeated(bytes: Uint8Array, start: number, end: number): boolean {
  const sizeBytes = end - start;
  if (end + sizeBytes > bytes.byteLength) return false;
  for (let at = start; at < end; at++) if (bytes[at] !== bytes[at + sizeBytes]) return false;
  return true;
}

function syncedIndexOf({ index, unsyncedCount, isMark }: LogRecord): number {
  if (isMark) return index;
  return unsyncedCount === unknownCount ? 0 : index - 1 - unsyncedCount;
}

function entryOf(record: LogRecord, end: number): LogEntry {
  const { index, position, isEncrypted, payload, isOld, bootStamp, link } = record;
  const syncedIndex = syncedIndexOf(record);
  return { index, position, end, isEncrypted, payload, isCorrected: false, isOld, syncedIndex, bootStamp, link };
}

/** The intact record that begins at `position`, if one does. */
function readRecord(bytes: Uint8Array, view: DataView, position: number): LogRecord | undefined {
  if (position + oldPayload > bytes.byteLength) return undefined;
  const upper = view.getUint32(position + Layout.index + 4, true);
  const isOld = (upper & doubledFlag) === 0;
  const payloadStart = position + (isOld ? oldPayload : Layout.payload);
  const payloadLength = view.getUint32(position + Layout.payloadLength, true);
  const end = payloadStart + payloadLength;
  if (end > bytes.byteLength) return undefined;
  const index = (upper & (doubledFlag - 1)) * 2 ** 32 + view.getUint32(position + Layout.index, true);
  if (isOld ? index === 0 || payloadLength === 0 : index === 0 && payloadLength > 0) return undefined;
  const checksum = view.getBigUint64(position + Layout.checksum, true);
  if (checksumOf(bytes.subarray(position + Layout.index, end)) !== checksum) return undefined;
  return {
    position,
    end,
    index,
    isOld,
    isEncrypted: (upper & encryptedFlag) !== 0,
    isMark: payloadLength === 0,
    unsyncedCount: isOld ? unknownCount : view.getUint32(position + Layout.unsyncedCount, true),
    bootStamp: isOld ? 0 : view.getUint32(position + Layout.bootStamp, true),
    previous: isOld ? 0 : view.getUint32(position + Layout.previous, true),
    link: view.getUint32(position + Layout.checksum, true),
    payload: bytes.subarray(payloadStart, end),
  };
}

function checksumOf(bytes: Uint8Array): bigint {
  return Bun.hash.xxHash3(bytes);
}
