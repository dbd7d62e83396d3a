// Send and poll: the head that the server reads without touching the messages, what clients write, and the named byte
// positions of spec BP 3.7, 3.8 and 4.5.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeStrict } from "../../src/protocol/codec.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { decodePolledMessages } from "../../src/protocol/message/poll-messages.ts";
import {
  decodeSendMessagesHead,
  encodeSendMessages,
  type SendMessagesRequest,
  sendMessagesRequestCodec,
} from "../../src/protocol/message/send-messages.ts";
import {
  IndexRowLayout,
  indexRowBytes,
  MessageLayout,
  messageHeaderBytes,
  PollReplyLayout,
  pollReplyHeadBytes,
} from "../../src/protocol/message-layout.ts";
import frames from "../golden/specification-frames.json" with { type: "json" };
import { bytes, u8 } from "./arbitraries.ts";
import { codeOf, hex } from "./support.ts";

/** Payload of an example frame of the specification. */
function examplePayload(name: string): Uint8Array {
  const frame = frames.find((candidate) => candidate.name === name);
  if (frame === undefined) throw new Error(`no example is called ${name}`);
  return hex(frame.frame).subarray(8);
}

const sendExample = examplePayload("101 Request");
const request: SendMessagesRequest = {
  stream: numericId(0),
  topic: numericId(0),
  partitioning: { kind: "partition", partitionId: 0 },
  messages: [
    { payload: new TextEncoder().encode("hello"), originTimestampMicros: 1750000002000001n },
    {
      id: hex("000102030405060708090a0b0c0d0e0f"),
      payload: new TextEncoder().encode("world!"),
      userHeaders: hex("02010000006b02020000007631 02010000006e0b0400000007000000"),
      originTimestampMicros: 1750000002000002n,
    },
  ],
};

/** A payload with the given metadata, as many zero rows as `count` says and `messagesBytes` of messages. */
function payloadOf(metadata: string, count: number, messagesBytes = 0, metadataBytes?: number): Uint8Array {
  const meta = hex(metadata);
  const payload = new Uint8Array(4 + meta.length + 4 + indexRowBytes * count + messagesBytes);
  const view = new DataView(payload.buffer);
  view.setUint32(0, metadataBytes ?? meta.length + 4, true);
  payload.set(meta, 4);
  view.setUint32(4 + meta.length, count, true);
  return payload;
}

const zeroIds = "010400000000 010400000000";

describe("send messages head", () => {
  test("it locates rows and messages of the example", () => {
    expect(decodeSendMessagesHead(sendExample, 0, sendExample.length)).toEqual({
      head: {
        metadataBytes: 22,
        stream: numericId(0),
        topic: numericId(0),
        partitioning: { kind: "partition", partitionId: 0 },
        messagesCount: 2,
      },
      countPosition: 22,
      rowsPosition: 26,
      messagesPosition: 58,
    });
  });

  test("it reads a payload in the middle of a buffer without copying the key", () => {
    const payload = examplePayload("101 Request 2");
    const buffer = new Uint8Array(payload.length + 20);
    buffer.set(payload, 7);
    const { head, rowsPosition, messagesPosition } = decodeSendMessagesHead(buffer, 7, 7 + payload.length);
    expect(head.stream).toEqual(nameId("orders"));
    expect(head.topic).toEqual(nameId("eu"));
    if (head.partitioning.kind !== "key") throw new Error("the example has a key");
    expect(new TextDecoder().decode(head.partitioning.key)).toBe("user-42");
    expect(head.partitioning.key.buffer).toBe(buffer.buffer);
    expect([rowsPosition, messagesPosition]).toEqual([7 + 29, 7 + 45]);
  });

  test("bytes between the count and the end of the metadata are skipped", () => {
    const plain = payloadOf(`${zeroIds} 0100`, 1, 64);
    const padded = new Uint8Array(plain.length + 3);
    padded.set(plain.subarray(0, 22));
    padded.set(plain.subarray(22), 25);
    padded[0] = (plain[0] ?? 0) + 3;
    expect(decodeSendMessagesHead(padded, 0, padded.length).rowsPosition).toBe(25);
  });

  test.each([
    ["an empty payload", new Uint8Array(0), 3],
    ["a metadata length beyond the payload", payloadOf(`${zeroIds} 0100`, 1, 64, 1000), 3],
    ["an unknown identifier kind", payloadOf("030400000000 010400000000 0100", 1, 64), 6],
    ["a numeric identifier of length 5", payloadOf("01050000000000 010400000000 0100", 1, 64), 6],
    ["an empty name", payloadOf("0200 010400000000 0100", 1, 64), 6],
    ["a topic identifier that is cut", payloadOf(zeroIds, 0, 0, 9), 6],
    ["an unknown partitioning", payloadOf(`${zeroIds} 0400`, 1, 64), 3],
    ["a partition id of length 3", payloadOf(`${zeroIds} 0203000000`, 1, 64), 3],
    ["a count that is missing", payloadOf(`${zeroIds} 0100`, 0, 0, 14), 3],
    ["rows beyond the payload", payloadOf(`${zeroIds} 0100`, 1).subarray(0, 30), 3],
    ["a metadata length that leaves no room for itself", payloadOf(`${zeroIds} 0100`, 0, 0, 22), 3],
  ] as const)("%s", (_, payload, code) => {
    expect(codeOf(() => decodeSendMessagesHead(payload, 0, payload.length))).toBe(code);
  });

  test("a count whose rows would exceed the payload does not overflow", () => {
    const payload = payloadOf(`${zeroIds} 0100`, 0);
    payload.fill(0xff, payload.length - 4);
    expect(codeOf(() => decodeSendMessagesHead(payload, 0, payload.length))).toBe(3);
  });

  test("names are not checked for UTF-8, an empty key and an empty batch are accepted", () => {
    const { head } = decodeSendMessagesHead(payloadOf("0201ff 010400000000 0300", 0), 0, 20);
    expect(head.stream).toEqual(nameId("\ufffd"));
    expect(head.partitioning).toEqual({ kind: "key", key: new Uint8Array(0) });
    expect(head.messagesCount).toBe(0);
  });

  test("any bytes give a head inside the payload or an IggyError", () => {
    fc.assert(
      fc.property(bytes(80), fc.nat(sendExample.length - 1), u8, (random, position, byte) => {
        const changed = sendExample.slice();
        changed[position] = byte;
        for (const input of [random, changed, changed.subarray(0, position)]) {
          try {
            const { rowsPosition, messagesPosition } = decodeSendMessagesHead(input, 0, input.length);
            expect(rowsPosition).toBeLessThanOrEqual(messagesPosition);
            expect(messagesPosition).toBeLessThanOrEqual(input.length);
          } catch (error) {
            expect(error).toBeInstanceOf(IggyError);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("send messages of a client", () => {
  test("the example of the specification is written byte by byte", () => {
    expect(encodeSendMessages(request).toHex()).toBe(sendExample.toHex());
  });

  test("an id may be a number", () => {
    const [, second] = decodeStrict(sendMessagesRequestCodec, encodeSendMessages(request)).messages;
    expect(second?.id).toBe(0x0f0e0d0c0b0a09080706050403020100n);
  });

  test("an id that is not 16 bytes is refused", () => {
    const messages = [{ id: new Uint8Array(15), payload: new Uint8Array(1) }];
    expect(codeOf(() => encodeSendMessages({ ...request, messages }))).toBe(6);
  });

  test("a key above 255 bytes is refused", () => {
    const partitioning = { kind: "key", key: new Uint8Array(256) } as const;
    expect(codeOf(() => encodeSendMessages({ ...request, partitioning }))).toBe(4028);
  });

  test("rows and headers stand at the named positions", () => {
    const payload = encodeSendMessages(request);
    const view = new DataView(payload.buffer, payload.byteOffset);
    const { rowsPosition, messagesPosition } = decodeSendMessagesHead(payload, 0, payload.length);
    const second = messagesPosition + view.getUint32(rowsPosition + IndexRowLayout.endPosition, true);
    expect(view.getUint32(rowsPosition + indexRowBytes + IndexRowLayout.endPosition, true)).toBe(
      payload.length - messagesPosition,
    );
    expect(view.getUint32(second + MessageLayout.payloadLength, true)).toBe(6);
    expect(view.getUint32(second + MessageLayout.userHeadersLength, true)).toBe(28);
    expect(view.getBigUint64(second + MessageLayout.originTimestamp, true)).toBe(1750000002000002n);
    expect(view.getUint8(second + MessageLayout.id + 15)).toBe(15);
    expect(
      new TextDecoder().decode(payload.subarray(second + messageHeaderBytes, second + messageHeaderBytes + 6)),
    ).toBe("world!");
  });
});

describe("polled messages", () => {
  const reply = examplePayload("100 Reply");

  test("the example of the specification", () => {
    const polled = decodePolledMessages(reply);
    expect([polled.partitionId, polled.currentOffset, polled.messages.length]).toEqual([0, 1n, 2]);
    const [first, second] = polled.messages;
    expect(first?.checksum).toBe(0xc5c41534f83a9fe4n);
    expect(new TextDecoder().decode(first?.payload)).toBe("hello");
    expect(first?.userHeaders).toHaveLength(0);
    expect(second?.offset).toBe(1n);
    expect(second?.timestampMicros).toBe(1750000002500000n);
    expect(second?.userHeaders).toHaveLength(28);
    expect(second?.payload.buffer).toBe(reply.buffer);
  });

  test("the head stands at the named positions, and the checksum covers the rest of the message", () => {
    const view = new DataView(reply.buffer, reply.byteOffset);
    expect(view.getUint32(PollReplyLayout.partitionId, true)).toBe(0);
    expect(view.getBigUint64(PollReplyLayout.currentOffset, true)).toBe(1n);
    expect(view.getUint32(PollReplyLayout.messagesCount, true)).toBe(2);
    const start = pollReplyHeadBytes;
    const end = start + messageHeaderBytes + view.getUint32(start + MessageLayout.payloadLength, true);
    expect(view.getBigUint64(start + MessageLayout.checksum, true)).toBe(
      Bun.hash.xxHash3(reply.subarray(start + MessageLayout.checksumStart, end)),
    );
  });

  test("a reply without messages has 16 bytes", () => {
    expect(decodePolledMessages(new Uint8Array(16))).toEqual({ partitionId: 0, currentOffset: 0n, messages: [] });
    expect(codeOf(() => decodePolledMessages(new Uint8Array(15)))).toBe(3);
  });

  test("a message that is cut is refused", () => {
    expect(codeOf(() => decodePolledMessages(reply.subarray(0, reply.length - 1)))).toBe(3);
  });
});
