/**
 * Layout of the metadata log: entries one after the other, numbered consecutively, little-endian.
 *
 *   0  4  payload length
 *   4  8  XXH3-64 over index and payload
 *  12  8  index, counting from 1; its highest bit says that the payload is encrypted
 *  20  n  payload: one event as MessagePack
 *
 * Checksums decide what an entry is, not lengths: a reader stops at the first entry that is not whole, not intact or not
 * the next one.
 */
export const EntryLayout = { payloadLength: 0, checksum: 4, index: 12, payload: 20 } as const;

/** In the upper half of the index. */
const encryptedFlag = 2 ** 31;

export interface LogEntry {
  readonly index: number;
  /** Where the entry starts in its file. */
  readonly position: number;
  readonly isEncrypted: boolean;
  /** A view into the scanned bytes. */
  readonly payload: Uint8Array;
}

/** The bytes of one entry, whose payload is encrypted already where `isEncrypted` says so. */
export function encodeEntry(index: number, payload: Uint8Array, isEncrypted = false): Uint8Array {
  const bytes = new Uint8Array(EntryLayout.payload + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(EntryLayout.payloadLength, payload.byteLength, true);
  view.setUint32(EntryLayout.index, index >>> 0, true);
  view.setUint32(EntryLayout.index + 4, Math.floor(index / 2 ** 32) + (isEncrypted ? encryptedFlag : 0), true);
  bytes.set(payload, EntryLayout.payload);
  view.setBigUint64(EntryLayout.checksum, checksumOf(bytes.subarray(EntryLayout.index)), true);
  return bytes;
}

/** The intact entries at the start of `bytes`, and how many bytes they take. */
export function scanEntries(bytes: Uint8Array): { entries: LogEntry[]; intactBytes: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: LogEntry[] = [];
  let position = 0;
  while (position + EntryLayout.payload <= bytes.byteLength) {
    const payloadStart = position + EntryLayout.payload;
    const end = payloadStart + view.getUint32(position + EntryLayout.payloadLength, true);
    if (end > bytes.byteLength) break;
    const checksum = view.getBigUint64(position + EntryLayout.checksum, true);
    if (checksumOf(bytes.subarray(position + EntryLayout.index, end)) !== checksum) break;
    const upper = view.getUint32(position + EntryLayout.index + 4, true);
    const index = (upper % encryptedFlag) * 2 ** 32 + view.getUint32(position + EntryLayout.index, true);
    const previous = entries.at(-1);
    if (previous !== undefined && index !== previous.index + 1) break;
    const isEncrypted = upper >= encryptedFlag;
    entries.push({ index, position, isEncrypted, payload: bytes.subarray(payloadStart, end) });
    position = end;
  }
  return { entries, intactBytes: position };
}

function checksumOf(bytes: Uint8Array): bigint {
  return Bun.hash.xxHash3(bytes);
}
