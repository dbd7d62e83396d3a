// Messages over HTTP: the body of a send becomes the frame that a binary client would send, and what a poll shows is what was
// sent; large answers follow their reader.
import { afterAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import fc from "fast-check";
import { decode } from "../../src/protocol/codec.ts";
import { numericId } from "../../src/protocol/identifier.ts";
import { sendMessagesRequestCodec } from "../../src/protocol/message/send-messages.ts";
import { JsonShapeError, JsonSyntaxError } from "../../src/transport/http/json/reader.ts";
import { readJson } from "../../src/transport/http/json/values.ts";
import { messagesJson, pollResponse } from "../../src/transport/http/messages/poll-json.ts";
import {
  batchBytes,
  encodeHead,
  parseSendBody,
  partitioningOf,
  writeBatch,
} from "../../src/transport/http/messages/send-body.ts";

const nowMicros = 1_776_240_000_123_456;

/** The request in the frame that a body becomes. */
function frameOf(text: string) {
  const body = parseSendBody(text);
  const head = encodeHead(numericId(1), numericId(2), partitioningOf(body), body.payloads.length);
  // Memory is used again and again: what was there before must not show.
  const memory = new Uint8Array(new SharedArrayBuffer(7 + head.length + batchBytes(body))).fill(0xee);
  memory.set(head, 7);
  writeBatch(memory, 7 + head.length, body, nowMicros);
  return decode(sendMessagesRequestCodec, memory.slice(7));
}

const balanced = '"partitioning":{"kind":"balanced","value":""}';

function single(message: string): string {
  return `{${balanced},"messages":[${message}]}`;
}

const base64 = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => bytes.toBase64());
const field = fc.oneof(
  fc.record({ kind: fc.constantFrom("raw", "string"), value: fc.uint8Array({ minLength: 1, maxLength: 255 }) }),
  fc.record({ kind: fc.constant("uint32"), value: fc.uint8Array({ minLength: 4, maxLength: 4 }) }),
  fc.record({ kind: fc.constant("bool"), value: fc.uint8Array({ minLength: 1, maxLength: 1 }) }),
);
const jsonField = field.map(({ kind, value }) => ({ kind, value: value.toBase64() }));
const message = fc.record(
  {
    id: fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }).map(String),
    payload: base64,
    user_headers: fc.array(fc.record({ key: jsonField, value: jsonField }), { maxLength: 4 }),
  },
  { requiredKeys: ["payload"] },
);

interface Header {
  readonly key: { readonly kind: string; readonly value: string };
  readonly value: { readonly kind: string; readonly value: string };
}

const kindOrder = ["raw", "string", "bool", "uint32"];

/** One header for each key, in the order of the keys. */
function sortedHeaders(headers: readonly Header[]): Header[] {
  const last = new Map(headers.map((header) => [`${header.key.kind} ${header.key.value}`, header]));
  return [...last.values()].sort(
    (left, right) =>
      kindOrder.indexOf(left.key.kind) - kindOrder.indexOf(right.key.kind) ||
      Buffer.compare(Buffer.from(left.key.value, "base64"), Buffer.from(right.key.value, "base64")),
  );
}

/** Messages as a partition keeps them: the frame's, one after the other. */
function storedBytes(text: string): Buffer {
  const body = parseSendBody(text);
  const memory = new Uint8Array(batchBytes(body));
  writeBatch(memory, 0, body, nowMicros);
  return Buffer.from(memory.subarray(body.payloads.length * 16));
}

describe("the body of a send", () => {
  test("any messages come out of the frame as they went into the body", () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (messages) => {
        const { messages: framed } = frameOf(`{"messages":${JSON.stringify(messages)},${balanced}}`);
        expect(framed.map(({ payload }) => payload.toBase64())).toEqual(messages.map(({ payload }) => payload));
        expect(framed.map(({ id }) => id)).toEqual(messages.map(({ id }) => BigInt(id ?? 0)));
        expect(framed.every(({ originTimestampMicros }) => originTimestampMicros === BigInt(nowMicros))).toBe(true);
      }),
    );
  });

  test("any messages that are stored are shown by a poll as they were sent", () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (messages) => {
        const bytes = storedBytes(`{${balanced},"messages":${JSON.stringify(messages)}}`);
        const { json, end } = messagesJson(bytes, 0, bytes.length, true);
        expect(end).toBe(bytes.length);
        const shown = JSON.parse(`[${json}]`);
        expect(shown.map((each: { payload: string }) => each.payload)).toEqual(messages.map(({ payload }) => payload));
        const ids = readJson(`[${json}]`) as { header: { id: bigint } }[];
        expect(ids.map((each) => BigInt(each.header.id))).toEqual(messages.map(({ id }) => BigInt(id ?? 0)));
        const headers = shown.map((each: { user_headers: unknown }) => each.user_headers);
        expect(headers).toEqual(messages.map((each) => sortedHeaders(each.user_headers ?? [])));
      }),
    );
  });

  test.each([
    ["nothing", "{", JsonSyntaxError],
    ["text behind it", `${single('{"payload":"eA=="}')}x`, JsonSyntaxError],
    ["no partitioning", '{"messages":[]}', JsonShapeError],
    ["no messages", `{${balanced}}`, JsonShapeError],
    ["another key", `{${balanced},"messages":[],"more":1}`, JsonShapeError],
    ["a key twice", `{${balanced},${balanced},"messages":[]}`, JsonShapeError],
    ["an unknown kind", '{"partitioning":{"kind":"any","value":""},"messages":[]}', JsonShapeError],
    ["a message without payload", single('{"id":1}'), JsonShapeError],
    ["an empty payload", single('{"payload":""}'), JsonShapeError],
    ["a payload that is null", single('{"payload":null}'), JsonShapeError],
    ["an id of null", single('{"id":null,"payload":"eA=="}'), JsonShapeError],
    ["a negative id", single('{"id":-1,"payload":"eA=="}'), JsonShapeError],
    ["an id with a fraction", single('{"id":1.0,"payload":"eA=="}'), JsonShapeError],
    ["an id number above 2^64 - 1", single('{"id":18446744073709551616,"payload":"eA=="}'), JsonShapeError],
    ["an id that is no number", single('{"id":"abc","payload":"eA=="}'), JsonShapeError],
    ["headers that are a number", single('{"user_headers":7,"payload":"eA=="}'), JsonShapeError],
    [
      "a header without value",
      single('{"user_headers":[{"key":{"kind":"raw","value":"eA=="}}],"payload":"eA=="}'),
      JsonShapeError,
    ],
  ])("%s is refused", (_what, text, error) => {
    expect(() => parseSendBody(text)).toThrow(error);
  });

  test.each(["eA", "eA=", "e===", "eB==", "e A==", "eA==\\n", "_-A=", "%%%%"])("payload %s is no base64", (payload) => {
    expect(() => frameOf(single(`{"payload":"${payload}"}`))).toThrow(JsonShapeError);
  });

  test("base64 may be written with escapes", () => {
    const [sent] = frameOf(single('{"payload":"\\/\\/79\\u002f"}'.replace("79\\u002f", "8="))).messages;
    expect(sent?.payload.toHex()).toBe("ffff");
  });

  test("ids are numbers, decimal text or hexadecimal text with dashes anywhere", () => {
    const ids = [
      "12345",
      '"12345"',
      '"3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
      '"00000000000000000000000000000010"',
      "0",
    ];
    const messages = ids.map((id) => `{"id":${id},"payload":"eA=="}`).join(",");
    expect(frameOf(single(messages)).messages.map(({ id }) => id)).toEqual([
      12345n,
      12345n,
      0x3f2504e04f8941d39a0c0305e82c3301n,
      10n,
      0n,
    ]);
  });

  test.each([
    ["partition_id", "AQAAAP8=", { kind: "partition", partitionId: 1 }],
    ["messages_key", "a2V5", { kind: "key", key: Buffer.from("key") }],
    ["balanced", "eA==", { kind: "balanced" }],
  ])("partitioning by %s", (kind, value, partitioning) => {
    const body = parseSendBody(`{"partitioning":{"kind":"${kind}","value":"${value}"},"messages":[]}`);
    expect(partitioningOf(body)).toEqual(partitioning as ReturnType<typeof partitioningOf>);
  });

  test.each([
    ["messages_key", "", "InvalidKeyValueLength"],
    ["messages_key", "A".repeat(344), "InvalidKeyValueLength"],
    ["partition_id", "", "InvalidKeyValueLength"],
    ["partition_id", "AQAA", "InvalidCommand"],
  ])("partitioning by %s %s is %s", (kind, value, errorName) => {
    const body = parseSendBody(`{"partitioning":{"kind":"${kind}","value":"${value}"},"messages":[]}`);
    expect(() => partitioningOf(body)).toThrow(expect.objectContaining({ errorName }));
  });
});

describe("headers in a poll", () => {
  const shown = (userHeaders: string): unknown => {
    const bytes = storedBytes(single(`{"payload":"eA==","user_headers":${userHeaders}}`));
    return JSON.parse(messagesJson(bytes, 0, bytes.length, true).json).user_headers;
  };

  test("bytes that are no headers are shown as base64", () => {
    for (const bytes of ["AAAA", "AgEAAABh", "AgAAAAACAQAAAGE="]) expect(shown(`"${bytes}"`)).toBe(bytes);
  });

  test("a value whose size does not fit its kind is shown as base64", () => {
    const header = '[{"key":{"kind":"string","value":"aw=="},"value":{"kind":"int32","value":"AQ=="}}]';
    expect(shown(header)).toBe(Buffer.from("02010000006b060100000001", "hex").toString("base64"));
  });

  test("a message without headers has an empty list", () => {
    expect(shown("null")).toEqual([]);
    expect(shown("[]")).toEqual([]);
  });
});

describe("a large answer", () => {
  const payload = Buffer.alloc(700_000, 7);
  const stored = storedBytes(single(`{"payload":"${payload.toString("base64")}"}`));
  let released = 0;
  let sentBytes = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => {
      // The parts end in the middle of messages.
      const half = stored.length / 2;
      const parts = Array.from({ length: 60 }, () => [
        { kind: "bytes" as const, bytes: stored.subarray(0, half) },
        { kind: "bytes" as const, bytes: stored.subarray(half) },
      ]).flat();
      const sizeBytes = 60 * stored.length;
      const release = () => {
        released++;
      };
      const read = { currentOffset: 59, messagesCount: 60, sizeBytes, parts, release };
      return pollResponse({ partitionId: 3, read }, (pieceBytes) => {
        sentBytes += pieceBytes;
      });
    },
  });
  afterAll(() => server.stop(true));

  test("is whole, and its files are given back once", async () => {
    const before = released;
    const body = await (await fetch(server.url)).text();
    const answer = JSON.parse(body) as { count: number; messages: { payload: string }[] };
    expect(sentBytes).toBe(body.length);
    expect(answer.count).toBe(60);
    const text = payload.toString("base64");
    expect(answer.messages).toHaveLength(60);
    expect(answer.messages.every((each) => each.payload === text)).toBe(true);
    expect(released - before).toBe(1);
  });

  test("is not made ahead of a client that reads nothing, and is given up when that client goes away", async () => {
    const before = released;
    const socket = connect(server.port ?? 0, "127.0.0.1", () =>
      socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    );
    socket.pause();
    while (server.pendingRequests === 0) await Bun.sleep(5);
    await Bun.sleep(200);
    expect(released).toBe(before);
    socket.destroy();
    const deadlineMs = performance.now() + 5000;
    while (released === before && performance.now() < deadlineMs) await Bun.sleep(5);
    expect(released).toBe(before + 1);
  });
});
