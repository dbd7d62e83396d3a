// The bytes of a mark file. Two copies of the same, so that one flipped bit leaves one of them whole.
//
// A copy, little-endian: [magic u32][number of groups u32][next offset u64][log id 12 bytes][4 bytes, 0], then for each
// group [number u32][log id 12 bytes], then [XXH3 of all that u64]

/** What a mark says of the log that lies beside it. */
export interface MarkContent {
  /** 24 hex digits; undefined for the log of a partition that an older version made. */
  readonly logId: string | undefined;
  /** The next offset is this or a later one, whatever files are left. */
  readonly nextOffset: number;
  /** Of the groups whose offset files lie beside it: log id by number. */
  readonly groups: ReadonlyMap<number, string>;
}

/** In the place of a log id where there is none. */
export const legacyLogId = "0".repeat(24);

/** Most partitions have none: one map for all of them. */
export const noGroups: ReadonlyMap<number, string> = new Map();

const magic = 0x31_4b_4d_57; // WMK1
const headBytes = 32;
const groupBytes = 16;
const idBytes = 12;
const checksumBytes = 8;
const groupsAt = 4;
const nextOffsetAt = 8;
const logIdAt = 16;

/** Both copies. */
export function encodeMark({ logId, nextOffset, groups }: MarkContent): Uint8Array {
  const copyBytes = headBytes + groups.size * groupBytes + checksumBytes;
  const bytes = Buffer.alloc(2 * copyBytes);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(groups.size, groupsAt);
  bytes.writeBigUInt64LE(BigInt(nextOffset), nextOffsetAt);
  bytes.write(logId ?? legacyLogId, logIdAt, idBytes, "hex");
  let at = headBytes;
  for (const [number, id] of groups) {
    bytes.writeUInt32LE(number, at);
    bytes.write(id, at + 4, idBytes, "hex");
    at += groupBytes;
  }
  bytes.writeBigUInt64LE(Bun.hash.xxHash3(bytes.subarray(0, at)), at);
  bytes.copy(bytes, copyBytes, 0, copyBytes);
  return bytes;
}

/** The content, and whether both copies were whole; undefined when neither is. */
export function decodeMark(
  bytes: Uint8Array,
): { readonly content: MarkContent; readonly isWhole: boolean } | undefined {
  const half = Math.floor(bytes.byteLength / 2);
  const first = decodeCopy(bytes);
  const content = first ?? decodeCopy(bytes.subarray(half));
  if (content === undefined) return undefined;
  const isWhole = first !== undefined && Buffer.compare(bytes.subarray(0, half), bytes.subarray(half)) === 0;
  return { content, isWhole };
}

/** The copy at the start of `given`. */
function decodeCopy(given: Uint8Array): MarkContent | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  if (bytes.byteLength < headBytes + checksumBytes || bytes.readUInt32LE(0) !== magic) return undefined;
  const end = headBytes + bytes.readUInt32LE(groupsAt) * groupBytes;
  if (end + checksumBytes > bytes.byteLength) return undefined;
  if (bytes.readBigUInt64LE(end) !== Bun.hash.xxHash3(bytes.subarray(0, end))) return undefined;
  const logId = bytes.toString("hex", logIdAt, logIdAt + idBytes);
  return {
    logId: logId === legacyLogId ? undefined : logId,
    nextOffset: Number(bytes.readBigUInt64LE(nextOffsetAt)),
    groups: end === headBytes ? noGroups : groupsIn(bytes.subarray(headBytes, end)),
  };
}

function groupsIn(bytes: Buffer): ReadonlyMap<number, string> {
  const groups = new Map<number, string>();
  for (let at = 0; at < bytes.byteLength; at += groupBytes) {
    groups.set(bytes.readUInt32LE(at), bytes.toString("hex", at + 4, at + 4 + idBytes));
  }
  return groups;
}
