/**
 * Reads the metadata log of Iggy 0.8, `state/log` (spec SB 3.8): entries one after the other, little-endian.
 *
 *    0  8  index, counting from 0
 *    8  8  term
 *   16  4  leader id
 *   20  4  version of the server, 8000 for 0.8.0
 *   24  8  flags
 *   32  8  timestamp, µs
 *   40  4  user id
 *   44  8  checksum: XXH3-64 over every other field, with the clear command and its clear length
 *   52  4  context length, usually 0
 *   56  n  context
 *    …  4  command code
 *    …  4  command length
 *    …  n  command; with server-side encryption nonce, ciphertext and tag
 *
 * Any bytes give entries or a `TakeoverError`: nothing is guessed about an entry that is torn, changed or missing.
 */
import { commandNameOf } from "../protocol/codes.ts";
import type { Cipher } from "../security/encryption.ts";
import { decodeIggyCommand, type IggyCommand } from "./iggy-command.ts";
import { messageOf, TakeoverError } from "./takeover-error.ts";

/** Byte positions inside one entry. */
const EntryLayout = {
  index: 0,
  version: 20,
  timestamp: 32,
  userId: 40,
  checksum: 44,
  contextLength: 52,
  context: 56,
} as const;

/** Code and length before the command. */
const commandHeadBytes = 8;

/** The second entry after a first start may repeat index 0; the original checks from the third on, too (spec SB 3.8). */
const firstCheckedEntry = 2;

export interface IggyEntry {
  readonly index: number;
  /** Byte position of the entry in its file. */
  readonly position: number;
  readonly timestampMicros: number;
  /** Who issued the command. */
  readonly userId: number;
  readonly code: number;
  readonly command: IggyCommand;
}

/** Decrypts commands; undefined if the server did not encrypt. */
export type CommandCipher = Pick<Cipher, "decrypt"> | undefined;

/** The entries of a whole file, one by one. Throws `TakeoverError` at the first that cannot be read. */
export function* readIggyEntries(bytes: Uint8Array, cipher: CommandCipher): Generator<IggyEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = 0;
  let expectedIndex = 0;
  for (let count = 0; position < bytes.byteLength; count++) {
    const place = { index: expectedIndex, position };
    const end = entryEnd(view, place);
    const entry = readEntry(bytes.subarray(position, end), place, cipher);
    if (count >= firstCheckedEntry && entry.index !== expectedIndex) {
      throw new TakeoverError(place, `it has index ${entry.index}; the entries between them are missing`);
    }
    yield entry;
    expectedIndex = entry.index + 1;
    position = end;
  }
}

interface Place {
  readonly index: number;
  readonly position: number;
}

/** Where the entry ends, by its lengths; they may be wrong, but are within the file. */
function entryEnd(view: DataView, place: Place): number {
  const context = advance(view, place, place.position, EntryLayout.context);
  const contextBytes = view.getUint32(place.position + EntryLayout.contextLength, true);
  const commandHead = advance(view, place, context, contextBytes);
  const command = advance(view, place, commandHead, commandHeadBytes);
  return advance(view, place, command, view.getUint32(commandHead + 4, true));
}

/** `position` + `sizeBytes`, if that is still in the file. */
function advance(view: DataView, place: Place, position: number, sizeBytes: number): number {
  if (sizeBytes > view.byteLength - position) {
    const bytesMissing = sizeBytes - (view.byteLength - position);
    throw new TakeoverError(place, `it is torn or its lengths are damaged; ${bytesMissing} bytes are missing`);
  }
  return position + sizeBytes;
}

/** One entry of exactly these bytes. */
function readEntry(bytes: Uint8Array, place: Place, cipher: CommandCipher): IggyEntry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const commandHead = EntryLayout.context + view.getUint32(EntryLayout.contextLength, true);
  const stored = bytes.subarray(commandHead + commandHeadBytes);
  const clear = cipher === undefined ? stored : cipher.decrypt(stored);
  if (clear === undefined) {
    throw new TakeoverError(place, "its command cannot be decrypted: it is damaged, not encrypted or has another key");
  }
  if (checksumOf(bytes, commandHead, clear) !== view.getBigUint64(EntryLayout.checksum, true)) {
    const hint = cipher === undefined ? "; was the log written with encryption?" : "";
    throw new TakeoverError(place, `its checksum does not fit, so it is damaged${hint}`);
  }
  const code = view.getUint32(commandHead, true);
  return {
    index: Number(view.getBigUint64(EntryLayout.index, true)),
    position: place.position,
    timestampMicros: Number(view.getBigUint64(EntryLayout.timestamp, true)),
    userId: view.getUint32(EntryLayout.userId, true),
    code,
    command: decodeCommand(code, clear, place, view.getUint32(EntryLayout.version, true)),
  };
}

/** What the checksum covers, put together: the entry without the checksum, with the clear command. */
function checksumOf(bytes: Uint8Array, commandHead: number, clear: Uint8Array): bigint {
  const sizeBytes = EntryLayout.checksum + (commandHead - EntryLayout.contextLength) + commandHeadBytes;
  const covered = new Uint8Array(sizeBytes + clear.byteLength);
  covered.set(bytes.subarray(0, EntryLayout.checksum));
  covered.set(bytes.subarray(EntryLayout.contextLength, commandHead + commandHeadBytes), EntryLayout.checksum);
  covered.set(clear, sizeBytes);
  new DataView(covered.buffer).setUint32(sizeBytes - 4, clear.byteLength, true);
  return Bun.hash.xxHash3(covered);
}

function decodeCommand(code: number, clear: Uint8Array, place: Place, version: number): IggyCommand {
  try {
    return decodeIggyCommand(code, clear);
  } catch (cause) {
    const what = commandNameOf(code) ?? "unknown";
    const reason = `its command ${code} (${what}), written by server version ${version}, cannot be read`;
    throw new TakeoverError(place, `${reason}: ${messageOf(cause)}`, { cause });
  }
}
