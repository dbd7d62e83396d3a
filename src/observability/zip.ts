/**
 * Writes a ZIP archive into memory: for each entry a local header and its data, then the central directory and its end
 * record (PKWARE APPNOTE 4.3). No ZIP64: entries and archive stay below 4 GiB.
 */
import { promisify } from "node:util";
import { crc32, deflateRaw, zstdCompress } from "node:zlib";

/** The methods that the runtime can do, with their numbers in the format. */
const zipMethods = { stored: 0, deflated: 8, zstd: 93 } as const;
export type ZipMethod = keyof typeof zipMethods;

export interface ZipEntry {
  readonly name: string;
  readonly content: Uint8Array;
}

/** Sizes of the three records without names, and what stands in them. */
const localHeaderBytes = 30;
const centralHeaderBytes = 46;
const endRecordBytes = 22;
const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 } as const;
/** Names are UTF-8. */
const utf8Flag = 0x0800;
/** Version of the format that a reader must know: 2.0, for zstd 6.3. */
const versionNeeded = { stored: 20, deflated: 20, zstd: 63 } as const;
/** Made on Unix; decides how the attributes are read: a regular file, readable by its owner. */
const madeByUnix = (3 << 8) | 63;
const fileAttributes = 0o100600;
const sizeBytesMax = 2 ** 32 - 1;
const entriesMax = 2 ** 16 - 1;

const deflateRawAsync = promisify(deflateRaw);
const zstdCompressAsync = promisify(zstdCompress);

interface PackedEntry {
  readonly name: Uint8Array;
  readonly data: Uint8Array;
  readonly checksum: number;
  readonly contentBytes: number;
}

/** One archive; compresses off the event loop. Throws `RangeError` when it would need ZIP64. */
export async function writeZip(entries: readonly ZipEntry[], method: ZipMethod, modifiedAt: Date): Promise<Uint8Array> {
  const packed: PackedEntry[] = [];
  for (const { name, content } of entries) {
    const data = await compress(content, method);
    packed.push({ name: Buffer.from(name, "utf8"), data, checksum: crc32(content), contentBytes: content.byteLength });
  }
  const namesBytes = packed.reduce((sum, entry) => sum + entry.name.byteLength, 0);
  const dataBytes = packed.reduce((sum, entry) => sum + entry.data.byteLength, 0);
  const headersBytes = packed.length * (localHeaderBytes + centralHeaderBytes) + 2 * namesBytes;
  const sizeBytes = headersBytes + dataBytes + endRecordBytes;
  const isLarge = sizeBytes > sizeBytesMax || packed.some((entry) => entry.contentBytes > sizeBytesMax);
  if (isLarge || packed.length > entriesMax) throw new RangeError("the archive is too large for the ZIP format");

  const archive = Buffer.alloc(sizeBytes);
  const positions: number[] = [];
  let position = 0;
  for (const entry of packed) {
    positions.push(position);
    position = writeLocal(archive, position, entry, method, modifiedAt);
  }
  const directoryPosition = position;
  for (const [index, entry] of packed.entries()) {
    position = writeCentral(archive, position, entry, method, modifiedAt, positions[index]!);
  }
  archive.writeUInt32LE(signatures.end, position);
  archive.writeUInt16LE(packed.length, position + 8);
  archive.writeUInt16LE(packed.length, position + 10);
  archive.writeUInt32LE(position - directoryPosition, position + 12);
  archive.writeUInt32LE(directoryPosition, position + 16);
  return new Uint8Array(archive.buffer, archive.byteOffset, archive.byteLength);
}

async function compress(content: Uint8Array, method: ZipMethod): Promise<Uint8Array> {
  switch (method) {
    case "stored":
      return content;
    case "deflated":
      return deflateRawAsync(content);
    case "zstd":
      return zstdCompressAsync(content);
  }
}

function writeLocal(archive: Buffer, position: number, entry: PackedEntry, method: ZipMethod, at: Date): number {
  archive.writeUInt32LE(signatures.local, position);
  writeCommon(archive, position + 4, entry, method, at);
  archive.set(entry.name, position + localHeaderBytes);
  archive.set(entry.data, position + localHeaderBytes + entry.name.byteLength);
  return position + localHeaderBytes + entry.name.byteLength + entry.data.byteLength;
}

function writeCentral(
  archive: Buffer,
  position: number,
  entry: PackedEntry,
  method: ZipMethod,
  at: Date,
  localPosition: number,
): number {
  archive.writeUInt32LE(signatures.central, position);
  archive.writeUInt16LE(madeByUnix, position + 4);
  writeCommon(archive, position + 6, entry, method, at);
  archive.writeUInt32LE(fileAttributes * 2 ** 16, position + 38);
  archive.writeUInt32LE(localPosition, position + 42);
  archive.set(entry.name, position + centralHeaderBytes);
  return position + centralHeaderBytes + entry.name.byteLength;
}

/** The 24 bytes that both headers have, from the version needed on; no extra field. */
function writeCommon(archive: Buffer, position: number, entry: PackedEntry, method: ZipMethod, at: Date): void {
  archive.writeUInt16LE(versionNeeded[method], position);
  archive.writeUInt16LE(utf8Flag, position + 2);
  archive.writeUInt16LE(zipMethods[method], position + 4);
  archive.writeUInt16LE((at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1), position + 6);
  const year = Math.min(Math.max(at.getUTCFullYear(), 1980), 2107) - 1980;
  archive.writeUInt16LE((year << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(), position + 8);
  archive.writeUInt32LE(entry.checksum, position + 10);
  archive.writeUInt32LE(entry.data.byteLength, position + 14);
  archive.writeUInt32LE(entry.contentBytes, position + 18);
  archive.writeUInt16LE(entry.name.byteLength, position + 22);
}
