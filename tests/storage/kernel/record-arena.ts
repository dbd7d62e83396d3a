import { AssertionError } from "../../../src/platform/assert.ts";
import type { PackResult } from "../../../src/storage/kernel/batch-kernel.ts";
import type { Arena } from "./kernel-arena.ts";

/** What an unpack left: its code (or the assertion), and the areas. */
export interface Unpacked {
  readonly code: unknown;
  readonly header: Uint8Array;
  readonly rows: Uint8Array;
  /** As many bytes as the messages of a valid record have. */
  readonly messages: Uint8Array;
  /** Everything from the rows to the end of the frames. */
  readonly area: Uint8Array;
  readonly canariesLive: boolean;
}

/** Room beyond what an unpack needs: behind the rows, and in front of the frames. */
export interface Slack {
  readonly rows: number;
  readonly frames: number;
}

/** Unpacks `record` with room for `count` messages, all areas between canaries. */
export function unpack(
  arena: Arena,
  record: Uint8Array,
  count: number,
  slack: Slack = { rows: 0, frames: 0 },
): Unpacked {
  const frames = record.subarray(256);
  const rowsBytes = count * 16 + slack.rows;
  const area = new Uint8Array(rowsBytes + count * 16 + slack.frames + frames.byteLength);
  area.set(frames, area.byteLength - frames.byteLength);
  const [header, rows] = arena.placeAll([record.subarray(0, 256), area]);
  const messages = rows! + rowsBytes;
  const framesPosition = rows! + area.byteLength - frames.byteLength;
  const code = resultOf(() => arena.kernel.unpackRecord(header!, framesPosition, frames.byteLength, rows!, messages));
  return {
    code,
    header: arena.read(header!, 256),
    rows: arena.read(rows!, count * 16),
    messages: arena.read(messages, frames.byteLength + count * 16),
    area: arena.read(rows!, area.byteLength),
    canariesLive: arena.canariesLive(),
  };
}

/** What a pack left: its result (or the assertion), both areas, and the measure of the same messages. */
export interface Packed {
  readonly result: unknown;
  readonly written: Uint8Array;
  readonly target: Uint8Array;
  readonly measured: number;
  readonly messages: Uint8Array;
  readonly canariesLive: boolean;
}

/** Packs `messages` into a target of `targetBytesMax` bytes. */
export function pack(arena: Arena, messages: Uint8Array, targetBytesMax: number, partitionId = 0): Packed {
  const [from, target] = arena.placeAll([messages, new Uint8Array(targetBytesMax).fill(0xee)]);
  const result = arena.kernel.packRecords(from!, messages.byteLength, target!, targetBytesMax, partitionId);
  return {
    result,
    written: arena.read(target!, result.writtenBytes),
    target: arena.read(target!, targetBytesMax),
    measured: arena.kernel.measureRecords(from!, messages.byteLength),
    messages: arena.read(from!, messages.byteLength),
    canariesLive: arena.canariesLive(),
  };
}

/** What a pack in place left: its result, the records, the messages that it did not use, and a canary's word. */
export interface PackedInPlace {
  readonly result: PackResult;
  readonly written: Uint8Array;
  readonly unused: Uint8Array;
  readonly canariesLive: boolean;
}

/** Packs `messages` into a target that begins `aheadBytes` in front of them and ends with them. */
export function packInPlace(arena: Arena, messages: Uint8Array, aheadBytes: number, partitionId = 0): PackedInPlace {
  const area = new Uint8Array(aheadBytes + messages.byteLength).fill(0xee);
  area.set(messages, aheadBytes);
  const [target] = arena.placeAll([area]);
  const from = target! + aheadBytes;
  const result = arena.kernel.packRecords(from, messages.byteLength, target!, area.byteLength, partitionId);
  return {
    result,
    written: arena.read(target!, result.writtenBytes),
    unused: arena.read(from + result.usedBytes, messages.byteLength - result.usedBytes),
    canariesLive: arena.canariesLive(),
  };
}

/** The result of a call, or the message of the assertion that it failed with. */
function resultOf(call: () => number | PackResult): unknown {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    return error.message;
  }
}
