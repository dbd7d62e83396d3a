// The JSON of a poll, written as bytes, is the text that strings would give: numbers, base64, headers and whole answers, however
// the reply is cut into parts.
import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { HeaderKindCode } from "../../src/protocol/user-headers.ts";
import type { ReplyPart } from "../../src/shard/index.ts";
import { AnswerPieces } from "../../src/transport/http/messages/answer-pieces.ts";
import { userHeadersTextBytesMax, writeUserHeaders } from "../../src/transport/http/messages/header-kinds.ts";
import { ascii, base64TextBytes, JsonBytes } from "../../src/transport/http/messages/json-bytes.ts";

const kindsByCode = new Map(Object.entries(HeaderKindCode).map(([kind, code]) => [code as number, kind]));
const fixedBytes = new Map<string, number>([
  ...(["bool", "int8", "uint8"] as const).map((kind) => [kind, 1] as const),
  ...(["int16", "uint16"] as const).map((kind) => [kind, 2] as const),
  ...(["int32", "uint32", "float32"] as const).map((kind) => [kind, 4] as const),
  ...(["int64", "uint64", "float64"] as const).map((kind) => [kind, 8] as const),
  ...(["int128", "uint128"] as const).map((kind) => [kind, 16] as const),
]);

const u64Max = 2n ** 64n - 1n;
const u128Max = 2n ** 128n - 1n;
/** Around every power of two and of ten, and anything else. */
function unsigned(max: bigint): fc.Arbitrary<bigint> {
  const limits: bigint[] = [];
  for (let power = 1n; power <= max; power *= 2n) limits.push(power - 1n, power, power + 1n);
  for (let power = 1n; power <= max; power *= 10n) limits.push(power - 1n, power, power + 1n);
  limits.push(max - 1n, max);
  const inRange = limits.filter((limit) => limit <= max);
  return fc.oneof(fc.constantFrom(...inRange), fc.bigInt({ min: 0n, max }));
}

function textOf(out: JsonBytes): string {
  return Buffer.from(out.written).toString("latin1");
}

/** Room for exactly what is reserved: what is written behind it would be missing. */
function tight(makesStrings: boolean): JsonBytes {
  return new JsonBytes(0, { makesStrings });
}

function numberBytes(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(17);
  bytes.writeBigUInt64LE(value & u64Max, 1);
  bytes.writeBigUInt64LE(value >> 64n, 9);
  return bytes;
}

describe("numbers", () => {
  test("a u64 has the digits of a BigInt", () => {
    const out = new JsonBytes(20);
    fc.assert(
      fc.property(unsigned(u64Max), (value) => {
        out.clear();
        out.u64(numberBytes(value), 1);
        expect(textOf(out)).toBe(String(value));
      }),
      { numRuns: 2000 },
    );
  });

  test("a u128 has the digits of a BigInt", () => {
    const out = new JsonBytes(39);
    fc.assert(
      fc.property(unsigned(u128Max), (value) => {
        out.clear();
        out.u128(numberBytes(value), 1);
        expect(textOf(out)).toBe(String(value));
      }),
      { numRuns: 2000 },
    );
  });

  test("a u32 has the digits of a number", () => {
    const out = new JsonBytes(10);
    fc.assert(
      fc.property(unsigned(2n ** 32n - 1n).map(Number), (value) => {
        out.clear();
        out.u32(value);
        expect(textOf(out)).toBe(String(value));
      }),
    );
  });
});

describe.each([
  ["by the table", false],
  ["by the runtime's encoder", true],
])("base64 %s", (_how, makesStrings) => {
  test("of any bytes, at any place, is that of the runtime", () => {
    fc.assert(
      fc.property(fc.nat(7), fc.nat(7), fc.uint8Array({ maxLength: 600 }), (before, skipped, bytes) => {
        const prefix = "x".repeat(before);
        const out = tight(makesStrings);
        out.reserve(before);
        out.fragment(ascii(prefix));
        const source = new Uint8Array(skipped + bytes.length + 3).fill(0xff);
        source.set(bytes, skipped);
        out.reserve(base64TextBytes(bytes.length));
        out.base64(source, skipped, skipped + bytes.length);
        expect(textOf(out)).toBe(prefix + bytes.toBase64());
      }),
    );
  });

  test("of parts that are multiples of three bytes goes on as one", () => {
    const bytes = crypto.getRandomValues(new Uint8Array(1000));
    const out = new JsonBytes(base64TextBytes(bytes.length), { makesStrings });
    for (let start = 0; start < bytes.length; start += 303)
      out.base64(bytes, start, Math.min(start + 303, bytes.length));
    expect(textOf(out)).toBe(bytes.toBase64());
  });
});

/** As in spec HA 5.4, with strings. */
function userHeadersText(bytes: Buffer): string {
  const fields: string[] = [];
  let position = 0;
  while (position < bytes.length) {
    if (position + 5 > bytes.length) return `"${bytes.toString("base64")}"`;
    const kind = kindsByCode.get(bytes[position]!);
    const sizeBytes = bytes.readUInt32LE(position + 1);
    const value = bytes.subarray(position + 5, position + 5 + sizeBytes);
    const isField = kind !== undefined && sizeBytes > 0 && sizeBytes <= 255 && value.length === sizeBytes;
    if (!isField || (fixedBytes.get(kind) ?? sizeBytes) !== sizeBytes) return `"${bytes.toString("base64")}"`;
    fields.push(`{"kind":"${kind}","value":"${value.toString("base64")}"}`);
    position += 5 + sizeBytes;
  }
  if (fields.length % 2 === 1) return `"${bytes.toString("base64")}"`;
  const headers = fields.flatMap((key, index) =>
    index % 2 === 0 ? [`{"key":${key},"value":${fields[index + 1]}}`] : [],
  );
  return `[${headers.join(",")}]`;
}

const field = fc
  .tuple(fc.constantFrom(...kindsByCode.entries()), fc.uint8Array({ minLength: 1, maxLength: 255 }))
  .map(([[code, kind], bytes]) => {
    const value = Buffer.alloc(fixedBytes.get(kind) ?? bytes.length, bytes);
    const head = Buffer.from([code, 0, 0, 0, 0]);
    head.writeUInt32LE(value.length, 1);
    return Buffer.concat([head, value]);
  });
const header = fc.tuple(field, field).map((fields) => Buffer.concat(fields));
const userHeaders = fc.oneof(
  fc.constant(Buffer.alloc(0)),
  fc.array(header, { minLength: 1, maxLength: 6 }).map((headers) => Buffer.concat(headers)),
  fc.array(field, { maxLength: 5 }).map((fields) => Buffer.concat(fields)),
  // Cut, or with a wrong byte.
  fc.tuple(header, fc.nat(300)).map(([bytes, end]) => bytes.subarray(0, end)),
  fc.tuple(header, fc.nat(300), fc.nat(255)).map(([bytes, index, value]) => {
    bytes[index % bytes.length] = value;
    return bytes;
  }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

describe("user headers", () => {
  test("any bytes are shown as headers or as base64, in the room that is reserved for them", () => {
    fc.assert(
      fc.property(userHeaders, (bytes) => {
        const out = tight(false);
        out.reserve(userHeadersTextBytesMax(bytes.length));
        writeUserHeaders(out, bytes, 0, bytes.length);
        expect(textOf(out)).toBe(userHeadersText(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  test("as many headers as can be, of the kinds with the longest names, fit into the room", () => {
    const small = Buffer.from([HeaderKindCode.string, 1, 0, 0, 0, 0x61]);
    const bytes = Buffer.concat(Array.from({ length: 16_666 }, () => small));
    const out = tight(false);
    out.reserve(userHeadersTextBytesMax(bytes.length));
    writeUserHeaders(out, bytes, 0, bytes.length);
    expect(textOf(out)).toBe(userHeadersText(bytes));
  });
});

interface Message {
  readonly checksum: bigint;
  readonly id: bigint;
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly originTimestamp: bigint;
  readonly reserved: bigint;
  readonly payload: Uint8Array;
  readonly userHeaders: Buffer;
}

function messageBytes(message: Message): Buffer {
  const head = Buffer.alloc(64);
  head.writeBigUInt64LE(message.checksum, 0);
  head.writeBigUInt64LE(message.id & u64Max, 8);
  head.writeBigUInt64LE(message.id >> 64n, 16);
  head.writeBigUInt64LE(message.offset, 24);
  head.writeBigUInt64LE(message.timestamp, 32);
  head.writeBigUInt64LE(message.originTimestamp, 40);
  head.writeUInt32LE(message.userHeaders.length, 48);
  head.writeUInt32LE(message.payload.length, 52);
  head.writeBigUInt64LE(message.reserved, 56);
  return Buffer.concat([head, message.payload, message.userHeaders]);
}

function messageText(message: Message): string {
  const lengths = `"user_headers_length":${message.userHeaders.length},"payload_length":${message.payload.length}`;
  const times = `"timestamp":${message.timestamp},"origin_timestamp":${message.originTimestamp}`;
  const numbers = `"checksum":${message.checksum},"id":${message.id},"offset":${message.offset},${times}`;
  const payload = Buffer.from(message.payload).toString("base64");
  const head = `{${numbers},${lengths},"reserved":${message.reserved}}`;
  return `{"header":${head},"payload":"${payload}","user_headers":${userHeadersText(message.userHeaders)}}`;
}

function answerText(messages: readonly Message[]): string {
  const head = `{"partition_id":7,"current_offset":18014398509481984,"count":${messages.length},"messages":`;
  return `${head}[${messages.map(messageText).join(",")}]}`;
}

function piecesOf(parts: readonly ReplyPart[], messagesCount: number, sizeBytes: number): AnswerPieces {
  return new AnswerPieces({ partitionId: 7, read: { currentOffset: 2 ** 54, messagesCount, sizeBytes, parts } });
}

/** The pieces, each written as if it were the only one. */
function piecesText(pieces: AnswerPieces): { readonly text: string; readonly largestBytes: number } {
  const out = new JsonBytes(0);
  let text = "";
  let largestBytes = 0;
  while (!pieces.isDone) {
    out.clear();
    pieces.writeNext(out);
    largestBytes = Math.max(largestBytes, out.length);
    text += textOf(out);
  }
  return { text, largestBytes };
}

/** In memory, cut at these positions. */
function cut(stored: Uint8Array, positions: readonly number[]): ReplyPart[] {
  const ends = [...positions.map((position) => position % (stored.length + 1)), stored.length].sort((a, b) => a - b);
  let start = 0;
  return ends.map((end) => {
    const bytes = stored.subarray(start, end);
    start = end;
    return { kind: "bytes", bytes };
  });
}

const u64 = unsigned(u64Max);
const anyMessage: fc.Arbitrary<Message> = fc.record({
  ...{ checksum: u64, id: unsigned(u128Max), offset: u64, timestamp: u64, originTimestamp: u64, reserved: u64 },
  payload: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  userHeaders,
});

function plainMessage(offset: number, payload: Uint8Array, headers = Buffer.alloc(0)): Message {
  const times = { timestamp: 1_776_240_000_123_456n, originTimestamp: 1_776_240_000_000_001n };
  return { checksum: 5n, id: 9n, offset: BigInt(offset), ...times, reserved: 0n, payload, userHeaders: headers };
}

describe("an answer", () => {
  test("of any messages in any parts is the text that strings would give", () => {
    fc.assert(
      fc.property(
        fc.array(anyMessage, { maxLength: 6 }),
        fc.array(fc.nat(4000), { maxLength: 4 }),
        (messages, cuts) => {
          const stored = Buffer.concat(messages.map(messageBytes));
          const { text } = piecesText(piecesOf(cut(stored, cuts), messages.length, stored.length));
          expect(text).toBe(answerText(messages));
          const whole = tight(true);
          const pieces = piecesOf(cut(stored, cuts), messages.length, stored.length);
          while (!pieces.isDone) pieces.writeNext(whole);
          expect(textOf(whole)).toBe(text);
        },
      ),
    );
  });

  const piece = 96 * 1024;
  const manyHeaders = Buffer.concat(
    Array.from({ length: 6666 }, () => Buffer.from([2, 1, 0, 0, 0, 0x61, 11, 4, 0, 0, 0, 1, 2, 3, 4])),
  );
  const directory = mkdtempSync(join(tmpdir(), "whippet-test-"));
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each([
    ["smaller than a piece by its header", piece - 64],
    ["one byte larger than that", piece - 63],
    ["as large as a piece", piece],
    ["one byte larger than a piece", piece + 1],
    ["as large as several", 3 * piece + 2],
  ])("of messages whose payload is %s", (_what, payloadBytes) => {
    const payload = crypto.getRandomValues(new Uint8Array(65_536));
    const large = Buffer.alloc(payloadBytes, payload);
    const messages = [
      plainMessage(0, payload.subarray(0, 10)),
      plainMessage(1, large),
      plainMessage(2, large, manyHeaders),
      plainMessage(3, payload.subarray(0, 1)),
      plainMessage(4, large.subarray(1), Buffer.from("no headers")),
    ];
    const stored = Buffer.concat(messages.map(messageBytes));
    const path = join(directory, "messages");
    writeFileSync(path, Buffer.concat([Buffer.alloc(11), stored]));
    const fd = openSync(path, "r");
    try {
      const middle = Math.floor(stored.length / 2);
      const parts: ReplyPart[] = [
        { kind: "file", fd, position: 11, sizeBytes: middle },
        { kind: "bytes", bytes: stored.subarray(middle) },
      ];
      expect(piecesText(piecesOf(parts, 5, stored.length)).text).toBe(answerText(messages));
    } finally {
      closeSync(fd);
    }
  });

  test("of many small messages comes in pieces of bounded size", () => {
    const messages = Array.from({ length: 5000 }, (_, offset) => plainMessage(offset, new Uint8Array([offset])));
    const stored = Buffer.concat(messages.map(messageBytes));
    const { text, largestBytes } = piecesText(piecesOf(cut(stored, []), messages.length, stored.length));
    expect(text).toBe(answerText(messages));
    expect(largestBytes).toBeLessThan(129 * 1024);
  });

  test("of a reply that ends inside a message is refused", () => {
    const stored = messageBytes(plainMessage(0, new Uint8Array(200_000)));
    for (const sizeBytes of [1, 63, 64, 100, 150_000, stored.length - 1]) {
      const parts = cut(stored.subarray(0, sizeBytes), []);
      expect(() => piecesText(piecesOf(parts, 1, sizeBytes))).toThrow("the last message of an answer is cut");
    }
  });
});
