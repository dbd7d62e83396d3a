// A reply made of records: the same bytes from any position on, whatever other replies are made in between and whatever its parts
// are, and an error where a file ends too early.
import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, seededRandom } from "../../src/platform/random.ts";
import type { ReplyPart } from "../../src/shard/messages.ts";
import { PackedRecords } from "../../src/shard/packed-records.ts";
import { buildStored, parseRecords, type StoredMessage } from "../storage/kernel/records.ts";

const directory = mkdtempSync(join(tmpdir(), "whippet-packed-"));
const descriptors: number[] = [];
afterAll(() => {
  for (const fd of descriptors) closeSync(fd);
  rmSync(directory, { recursive: true });
});

const head = new Uint8Array(272).fill(9);

interface Made {
  readonly messages: readonly StoredMessage[];
  readonly records: PackedRecords;
  readonly path: string;
}

/** Messages of these sizes, in parts that end anywhere: some in a file, some in memory. */
function make(name: string, sizes: readonly number[], random: Random): Made {
  const messages = sizes.map((size, index) => ({
    id: BigInt(index + 1),
    payload: new Uint8Array(size).fill(random.u32() % 256),
    userHeaders: new Uint8Array(random.u32() % 3 === 0 ? 12 : 0).fill(5),
    originTimestamp: BigInt(random.u32()),
    offset: BigInt(index),
    timestamp: BigInt(1 + Math.floor(index / 7)),
  }));
  const bytes = buildStored(messages);
  const path = join(directory, name);
  writeFileSync(path, bytes);
  const fd = openSync(path, "r");
  descriptors.push(fd);
  const parts: ReplyPart[] = [];
  for (let start = 0; start < bytes.byteLength; ) {
    const end = Math.min(bytes.byteLength, start + 1 + (random.u32() % 3_000_000));
    const isFile = random.u32() % 2 === 0 || end === bytes.byteLength;
    if (isFile) parts.push({ kind: "file", fd, position: start, sizeBytes: end - start });
    else parts.push({ kind: "bytes", bytes: bytes.slice(start, end) });
    start = end;
  }
  const read = { currentOffset: 0, messagesCount: messages.length, sizeBytes: bytes.byteLength, parts };
  return { messages, records: new PackedRecords(read, 3), path };
}

/** All of it, in the pieces in which it comes. */
function whole(records: PackedRecords): Uint8Array {
  const bytes = new Uint8Array(records.sizeBytes);
  for (let position = 0; position < bytes.byteLength; ) {
    const piece = records.bytesFrom(position);
    if (piece.byteLength === 0) throw new Error(`nothing at ${position}`);
    bytes.set(piece, position);
    position += piece.byteLength;
  }
  return bytes;
}

const random = seededRandom(3);
const sizes = {
  small: Array.from({ length: 40 }, () => random.u32() % 300),
  pieces: Array.from({ length: 2000 }, () => random.u32() % 4000),
  large: [10, 2_000_000, 0, 1_310_720, 1_310_000, 3_000_000, 5],
  one: [4_000_000],
  empty: Array.from({ length: 30_000 }, () => 0),
};

test("holds every message, and gives the same from any position on", () => {
  const made = Object.entries(sizes).map(([name, list]) => make(name, list, random));
  const expected = made.map(({ records, messages }) => {
    const bytes = whole(records);
    const parsed = parseRecords(bytes);
    expect(parsed.length).toBe(messages.length);
    for (const [index, message] of parsed.entries()) {
      if (!Bun.deepEquals(message, messages[index])) throw new Error(`message ${index} is another one`);
    }
    return Buffer.from(bytes);
  });
  for (let count = 0; count < 400; count++) {
    const index = random.u32() % made.length;
    const bytes = expected[index]!;
    const isNearStart = random.u32() % 3 === 0;
    const position = random.u32() % (isNearStart ? Math.min(700, bytes.byteLength) : bytes.byteLength);
    const piece = made[index]!.records.bytesFrom(position);
    expect(piece.byteLength).toBeGreaterThan(0);
    expect(bytes.compare(piece, 0, piece.byteLength, position, position + piece.byteLength)).toBe(0);
  }
});

test("a small reply is one view, behind its head", () => {
  const { records } = make("behind", sizes.small, random);
  const bytes = Buffer.from(whole(records));
  expect(Buffer.from(records.bytesBehind(head))).toEqual(Buffer.concat([head, bytes]));
  // The head lies beside the records, not in them.
  expect(Buffer.from(whole(records))).toEqual(bytes);
});

test("a file that has become shorter is an error, not other bytes", () => {
  for (const [name, list] of Object.entries({ pieces: sizes.pieces, large: sizes.large, one: sizes.one })) {
    const { records, path } = make(`short-${name}`, list, random);
    truncateSync(path, 1000);
    expect(() => whole(records)).toThrow();
  }
});
