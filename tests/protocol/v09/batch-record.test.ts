// Batch records, sends and polls of 0.9 by position and as objects (spec P9 8.1 to 8.4, 15.3, 15.4).

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decode, decodeStrict, encode } from "../../../src/protocol/codec.ts";
import {
  BatchHeaderLayout,
  batchHeaderBytes,
  encodeFencedPoll,
  MessageFrameLayout,
  messageFrameBytes,
  readSendHead09,
  sendReplyBytes,
  writeSendReply,
} from "../../../src/protocol/v09/batch-layout.ts";
import {
  batchRecordCodec,
  pollMessagesReplyCodec09,
  sendMessagesReplyCodec09,
  sendMessagesRequestCodec09,
} from "../../../src/protocol/v09/batch-record.ts";
import { codecsOf09 } from "../../../src/protocol/v09/codecs.ts";
import { identifier, partitioning } from "../arbitraries.ts";
import { codeOf, hex } from "../support.ts";
import { batchRecord } from "./arbitraries.ts";
import { u32At } from "./support.ts";

/** The 28 bytes of user headers of the frame in BP 3.9: key `trace`, a string. */
const userHeaders = new Uint8Array(28).fill(0x61);
const header = hex(
  `0000000000000000 0000000000000000 a08581a09d370600 81e479a09d370600 8701000000000000 430860830cf9bbf9 02000000
  ${"00".repeat(204)}`,
);
const frame1 = hex(
  `def101fa321e478a 3f2b1c4d5e6f4a7b8c9d0e1f2a3b4c5d 00000000 00000000 00000000 05000000 0000000000000000
  68656c6c6f`,
);
const frame2 = hex(
  `a73d3251ebbdb542 000102030405060708090a0b0c0d0e0f 01000000 01000000 1c000000 06000000 0000000000000000
  776f726c6421 ${userHeaders.toHex()}`,
);
const record = new Uint8Array([...header, ...frame1, ...frame2]);

describe("the record of the page", () => {
  const value = decodeStrict(batchRecordCodec, record);

  test("as an object, and written again", () => {
    expect(value).toEqual({
      partitionId: 0n,
      baseOffset: 0n,
      baseTimestampMicros: 1_750_000_002_500_000n,
      originTimestampMicros: 1_750_000_002_000_001n,
      checksum: 0xf9bbf90c83600843n,
      messages: [
        {
          checksum: 0x8a471e32fa01f1den,
          id: 0x5d4c3b2a1f0e9d8c7b4a6f5e4d1c2b3fn,
          offsetDelta: 0,
          timestampDeltaMicros: 0,
          payload: new TextEncoder().encode("hello"),
          userHeaders: new Uint8Array(0),
        },
        {
          checksum: 0x42b5bdeb51323da7n,
          id: 0x0f0e0d0c0b0a09080706050403020100n,
          offsetDelta: 1,
          timestampDeltaMicros: 1,
          payload: new TextEncoder().encode("world!"),
          userHeaders,
        },
      ],
    });
    expect(encode(batchRecordCodec, value)).toEqual(record);
  });

  test("by position", () => {
    expect(record).toHaveLength(391);
    const view = new DataView(record.buffer);
    expect(view.getBigUint64(BatchHeaderLayout.batchLength, true)).toBe(391n);
    expect(view.getBigUint64(BatchHeaderLayout.checksum, true)).toBe(value.checksum);
    expect(u32At(record, BatchHeaderLayout.messagesCount)).toBe(2);
    const second = batchHeaderBytes + messageFrameBytes + u32At(record, batchHeaderBytes + 36);
    expect(u32At(record, second + MessageFrameLayout.offsetDelta)).toBe(1);
    expect(u32At(record, second + MessageFrameLayout.timestampDelta)).toBe(1);
    expect(u32At(record, second + MessageFrameLayout.userHeadersLength)).toBe(28);
    expect(u32At(record, second + MessageFrameLayout.payloadLength)).toBe(6);
    expect(record.subarray(second + MessageFrameLayout.payload, second + MessageFrameLayout.payload + 6)).toEqual(
      new TextEncoder().encode("world!"),
    );
  });

  test.each([
    ["a reserved byte of the header", 255],
    ["a reserved byte of a frame", 256 + 47],
    ["the count", 48],
    ["the batch length", 32],
    ["a payload length", 256 + 36],
    ["a length of user headers", 256 + 32],
    ["the high half of the batch length", 39],
  ])("%s changed: 3", (_, position) => {
    const changed = record.slice();
    changed[position]! ^= 0x80;
    expect(codeOf(() => decode(batchRecordCodec, changed))).toBe(3);
  });
});

describe("the head of a send", () => {
  const sends = fc.record({ stream: identifier, topic: identifier, partitioning, record: batchRecord });

  test("is found at any position, and the record behind it", () => {
    fc.assert(
      fc.property(sends, fc.nat(20), fc.nat(20), (send, before, after) => {
        const body = encode(sendMessagesRequestCodec09, send);
        const memory = new Uint8Array(before + body.length + after).fill(0xee);
        memory.set(body, before);
        const { batchPosition, ...head } = readSendHead09(memory, before, before + body.length);
        const { record: sent, ...target } = send;
        expect(head).toEqual({ ...target, messagesCount: sent.messages.length });
        const batch = memory.subarray(batchPosition, before + body.length);
        expect(decodeStrict(batchRecordCodec, batch)).toEqual(sent);
      }),
    );
  });

  const body = hex(`13000000 02 04 68616e64 02 01 74 02 04 00000000 02000000 ${record.toHex()}`);
  body[0] = 6 + 3 + 6 + 4;
  const codeWith = (position: number, byte: number) => {
    const changed = body.slice();
    changed[position] = byte;
    return codeOf(() => readSendHead09(changed, 0, changed.length));
  };
  const countPosition = 4 + 6 + 3 + 6;
  const batchPosition = countPosition + 4;

  test("as it should be", () => {
    expect(readSendHead09(body, 0, body.length)).toEqual({
      stream: { kind: "string", value: "hand" },
      topic: { kind: "string", value: "t" },
      partitioning: { kind: "partition", partitionId: 0 },
      messagesCount: 2,
      batchPosition,
    });
  });

  test.each([
    ["metadata one byte longer than their fields", 0, 20],
    ["metadata one byte shorter", 0, 18],
    ["metadata longer than the body", 3, 0xff],
    ["a stream of unknown kind", 4, 3],
    ["an empty stream name", 5, 0],
    ["a stream name that is not UTF-8", 6, 0xff],
    ["a partitioning of unknown kind", 4 + 9, 4],
    ["a count that is not that of the batch", countPosition, 1],
    ["a count of the batch that is not that of the head", batchPosition + 48, 1],
    ["a batch longer than the rest", batchPosition + 32, 0x88],
    ["a batch shorter than the rest", batchPosition + 32, 0x86],
    ["a batch of more than 2^32 bytes", batchPosition + 36, 1],
  ])("%s: 3", (_, position, byte) => {
    expect(codeWith(position, byte)).toBe(3);
  });

  test("no messages: 4009", () => {
    const empty = body.slice();
    empty[countPosition] = 0;
    empty[batchPosition + 48] = 0;
    expect(codeOf(() => readSendHead09(empty, 0, empty.length))).toBe(4009);
  });

  test("cut anywhere: 3", () => {
    for (let end = 0; end < body.length; end++) expect(codeOf(() => readSendHead09(body, 0, end))).toBe(3);
  });
});

describe("replies of the page", () => {
  test("fenced group poll", () => {
    const fenced = hex("ffffffff 0000000000000000 00000000");
    expect(encodeFencedPoll()).toEqual(fenced);
    expect(decodeStrict(pollMessagesReplyCodec09, fenced).partitionId).toBe(2 ** 32 - 1);
  });

  test("empty poll of partition 2", () => {
    const empty = { partitionId: 2, currentOffset: 0n, records: [] };
    expect(encode(pollMessagesReplyCodec09, empty)).toEqual(hex("02000000 0000000000000000 00000000"));
  });

  test("send confirmed", () => {
    const bytes = hex("01000000 00000000 00000000 00000000 0200000000000000");
    const confirmation = { streamId: 0, topicId: 0, partitionId: 0, baseOffset: 2n };
    expect(encode(sendMessagesReplyCodec09, [confirmation])).toEqual(bytes);
    const written = new Uint8Array(sendReplyBytes);
    writeSendReply(written, 0, 0, 0, 0, 2);
    expect(written).toEqual(bytes);
  });

  test("a confirmation by position is that of the codec", () => {
    const id = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(id, id, id, fc.maxSafeNat(), fc.nat(9), (streamId, topicId, partitionId, baseOffset, position) => {
        const memory = new Uint8Array(position + sendReplyBytes);
        writeSendReply(memory, position, streamId, topicId, partitionId, baseOffset);
        expect(decodeStrict(sendMessagesReplyCodec09, memory.subarray(position))).toEqual([
          { streamId, topicId, partitionId, baseOffset: BigInt(baseOffset) },
        ]);
      }),
    );
  });

  test("sync: generation 1, partitions 0, 1, 2", () => {
    expect(encode(codecsOf09("syncGroup").reply, { generation: 1n, partitionIds: [0, 1, 2] })).toEqual(
      hex("0100000000000000 03000000 00000000 01000000 02000000"),
    );
  });

  test("topics of a missing stream", () => {
    expect(encode(codecsOf09("getTopics").reply, [])).toEqual(hex("00000000"));
  });
});

test("create stream `orders`", () => {
  const body = hex("06 6f7264657273");
  expect(decodeStrict(codecsOf09("createStream").request, body)).toEqual({ name: "orders", options: [] });
  expect(encode(codecsOf09("createStream").request, { name: "orders", options: [] })).toEqual(body);
});
