// Messages over HTTP: the body of a send becomes the frame that a binary client would send, and what a poll shows is what was
// sent; large answers follow their reader.
import { afterAll, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { Type as t } from "@sinclair/typebox";
import fc from "fast-check";
import { decode } from "../../src/protocol/codec.ts";
import { numericId } from "../../src/protocol/identifier.ts";
import { sendMessagesRequestCodec } from "../../src/protocol/message/send-messages.ts";
import { JsonShapeError, JsonSyntaxError } from "../../src/transport/http/json/reader.ts";
import { readJson } from "../../src/transport/http/json/values.ts";
import { AnswerPieces } from "../../src/transport/http/messages/answer-pieces.ts";
import { JsonBytes } from "../../src/transport/http/messages/json-bytes.ts";
import { pollResponse } from "../../src/transport/http/messages/poll-json.ts";
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

const shownIds = t.Object({ messages: t.Array(t.Object({ header: t.Object({ id: t.Unknown() }) })) });
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

/** The answer of a poll that finds these messages. */
function shownText(stored: Buffer, messagesCount: number): string {
  const parts = [{ kind: "bytes" as const, bytes: stored }];
  const read = { currentOffset: 0, messagesCount, sizeBytes: stored.length, parts };
  const pieces = new AnswerPieces({ partitionId: 0, read });
  const text = new JsonBytes(1024);
  while (!pieces.isDone) pieces.writeNext(text);
  return Buffer.from(text.written).toString("latin1");
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
        const json = shownText(bytes, messages.length);
        const shown = JSON.parse(json).messages;
        expect(shown.map((each: { payload: string }) => each.payload)).toEqual(messages.map(({ payload }) => payload));
        const { messages: withIds } = readJson(json, shownIds) as { messages: { header: { id: bigint } }[] };
        expect(withIds.map((each) => BigInt(each.header.id))).toEqual(messages.map(({ id }) => BigInt(id ?? 0)));
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
    return JSON.parse(shownText(bytes, 1)).messages[0].user_headers;
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

describe("an answer", () => {
  let released = 0;
  let sentBytes = 0;
  let turn = 0;
  /** In which turn of the event loop each piece of a large answer was made. */
  const pieceTurns: number[] = [];
  const payloadBytes = 700_000;

  /** The query says how many messages, and the byte that their payloads consist of. */
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      const query = new URL(url).searchParams;
      const count = Number(query.get("count"));
      const payload = Buffer.alloc(payloadBytes, Number(query.get("fill")));
      const stored = storedBytes(single(`{"payload":"${payload.toString("base64")}"}`));
      // The parts end in the middle of messages.
      const half = stored.length / 2;
      const parts = Array.from({ length: count }, () => [
        { kind: "bytes" as const, bytes: stored.subarray(0, half) },
        { kind: "bytes" as const, bytes: stored.subarray(half) },
      ]).flat();
      const release = () => {
        released++;
      };
      const sizeBytes = count * stored.length;
      const read = { currentOffset: count - 1, messagesCount: count, sizeBytes, parts, release };
      return pollResponse({ partitionId: 3, read }, (pieceBytes) => {
        sentBytes += pieceBytes;
        pieceTurns.push(turn);
      });
    },
  });
  afterAll(() => server.stop(true));

  const ask = (count: number, fill: number) => fetch(`${server.url}?count=${count}&fill=${fill}`);

  /** A client that reads nothing. */
  async function unreadClient(count: number, fill: number): Promise<Socket> {
    const connected = Promise.withResolvers<void>();
    const socket = connect(server.port ?? 0, "127.0.0.1", connected.resolve);
    socket.on("error", connected.reject);
    await connected.promise;
    socket.pause();
    socket.write(`GET /?count=${count}&fill=${fill} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    while (server.pendingRequests === 0) await Bun.sleep(5);
    return socket;
  }

  function expectMessages(body: string, count: number, fill: number): void {
    const answer = JSON.parse(body) as { count: number; messages: { payload: string }[] };
    const text = Buffer.alloc(payloadBytes, fill).toString("base64");
    expect(answer.count).toBe(count);
    expect(answer.messages).toHaveLength(count);
    expect(answer.messages.every(({ payload }) => payload === text)).toBe(true);
  }

  test("that is small has its size in a header, and its files are given back before it is sent", async () => {
    const before = released;
    const responses = await Promise.all([1, 2, 3, 4].map((fill) => ask(1, fill)));
    expect(released - before).toBe(4);
    for (const [index, response] of responses.entries()) {
      const body = await response.text();
      expect(response.headers.get("content-length")).toBe(String(body.length));
      expectMessages(body, 1, index + 1);
    }
  });

  test("that is large is whole, and its files are given back once", async () => {
    const before = released;
    sentBytes = 0;
    const body = await (await ask(60, 7)).text();
    expect(sentBytes).toBe(body.length);
    expectMessages(body, 60, 7);
    expect(released - before).toBe(1);
  });

  test("that is large does not mix with others that are made at the same time, also for a client that reads late", async () => {
    const before = released;
    const late = await unreadClient(30, 200);
    const bodies = await Promise.all([1, 2, 3, 4, 5].map(async (fill) => (await ask(20, fill)).text()));
    for (const [index, body] of bodies.entries()) expectMessages(body, 20, index + 1);
    const chunks: Buffer[] = [];
    late.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      // Now and then it stops.
      if (chunks.length % 100 === 0) late.pause();
      if (chunks.length % 100 === 0) setTimeout(() => late.resume(), 2);
    });
    const closed = Promise.withResolvers<void>();
    late.on("close", () => closed.resolve());
    late.resume();
    await closed.promise;
    expectMessages(unchunked(Buffer.concat(chunks)), 30, 200);
    expect(released - before).toBe(6);
  });

  test("that is large leaves a turn to others after each piece, although its client takes everything at once", async () => {
    pieceTurns.length = 0;
    let isRunning = true;
    const countTurn = () => {
      turn++;
      if (isRunning) setImmediate(countTurn);
    };
    countTurn();
    await (await ask(60, 7)).arrayBuffer();
    isRunning = false;
    const counts = new Map<number, number>();
    for (const each of pieceTurns) counts.set(each, (counts.get(each) ?? 0) + 1);
    expect(pieceTurns.length).toBeGreaterThan(400);
    // One when the client has room again, one behind that.
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(2);
  });

  test("that is large is not made ahead of a client that reads nothing, and is given up when that client goes away", async () => {
    const before = released;
    sentBytes = 0;
    const socket = await unreadClient(60, 7);
    await Bun.sleep(200);
    expect(released).toBe(before);
    // What the system's buffers take.
    expect(sentBytes).toBeLessThan((60 * payloadBytes * 4) / 3 / 2);
    socket.destroy();
    const deadlineMs = performance.now() + 60_000;
    while (released === before && performance.now() < deadlineMs) await Bun.sleep(5);
    await Bun.sleep(20);
    expect(released).toBe(before + 1);
  });

  test("that is large and not asked for in the end is given up", async () => {
    const before = released;
    const head = await fetch(`${server.url}?count=60&fill=7`, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(released - before).toBe(1);
  });
});

/** Body of a response in chunks. */
function unchunked(response: Buffer): string {
  const chunks: Buffer[] = [];
  let position = response.indexOf("\r\n\r\n") + 4;
  for (;;) {
    const end = response.indexOf("\r\n", position);
    const sizeBytes = Number.parseInt(response.toString("latin1", position, end), 16);
    if (sizeBytes === 0) return Buffer.concat(chunks).toString("latin1");
    chunks.push(response.subarray(end + 2, end + 2 + sizeBytes));
    position = end + 2 + sizeBytes + 2;
  }
}
