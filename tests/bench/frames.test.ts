import { describe, expect, test } from "bun:test";
import { linesOf } from "../../src/bench/actor-messages.ts";
import { shareOut } from "../../src/bench/actor-pool.ts";
import { BatchPayload, payloadOf } from "../../src/bench/batch.ts";
import { firstOriginMicros, hasFaults, PollChecker } from "../../src/bench/poll-check.ts";
import { PollPayload } from "../../src/bench/poll-payload.ts";
import { decodeStrict } from "../../src/protocol/codec.ts";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { MessageLayout } from "../../src/protocol/message-layout.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { pollReply, sealed } from "./fake-broker.ts";

const payload = payloadOf(30);

/** Stored messages with these offsets. */
function stored(offsets: readonly number[], content: Uint8Array = payload): Uint8Array[] {
  return offsets.map((offset) => {
    const bytes = new Uint8Array(64 + content.length);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(MessageLayout.offset, BigInt(offset), true);
    view.setBigUint64(MessageLayout.originTimestamp, 1_700_000_000_123_456n, true);
    view.setUint32(MessageLayout.payloadLength, content.length, true);
    bytes.set(content, MessageLayout.payload);
    return sealed(bytes);
  });
}

function check(messages: readonly Uint8Array[], expectedOffset: number) {
  const checker = new PollChecker(payload);
  const nextOffset = checker.check(pollReply(messages), expectedOffset);
  return { nextOffset, counts: checker.counts };
}

test("a batch frame is a well-formed send request, and only its timestamps are renewed", () => {
  const frame = new BatchPayload("bench-stream-3", 5, 30);
  const before = frame.bytes.slice();
  frame.renew(1_700_000_000_123_456.5);
  const request = decodeStrict(commandCodecs.sendMessages.request, frame.bytes);
  expect(request).toMatchObject({ stream: nameId("bench-stream-3"), topic: nameId("topic-1") });
  expect(request.messages.length).toBe(5);
  for (const message of request.messages) {
    expect(message.originTimestampMicros).toBe(1_700_000_000_123_456n);
    expect(message.payload).toEqual(payload);
  }
  frame.renew(0);
  expect(frame.bytes).toEqual(before);
});

test("a poll frame asks for the offset and count that were set", () => {
  const frame = new PollPayload("bench-stream-1", 9);
  frame.set(2 ** 40 + 7, 55);
  expect(decodeStrict(commandCodecs.pollMessages.request, frame.bytes)).toEqual({
    consumer: { kind: "consumer", id: numericId(9) },
    stream: nameId("bench-stream-1"),
    topic: nameId("topic-1"),
    partitionId: 0,
    strategy: { kind: "offset", value: 2n ** 40n + 7n },
    count: 55,
    autoCommit: false,
  });
});

describe("a consumer's check", () => {
  test("finds nothing wrong with consecutive, undamaged messages", () => {
    const { nextOffset, counts } = check(stored([7, 8, 9]), 7);
    expect(nextOffset).toBe(10);
    expect(counts).toMatchObject({ messages: 3, sampled: 1 });
    expect(hasFaults(counts)).toBe(false);
  });

  test("counts each missing offset", () => {
    const { nextOffset, counts } = check(stored([7, 10, 12]), 6);
    expect(nextOffset).toBe(13);
    expect(counts).toMatchObject({ gaps: 4, duplicates: 0 });
  });

  test("counts messages that came before", () => {
    const { nextOffset, counts } = check(stored([5, 6, 6, 7]), 6);
    expect(nextOffset).toBe(8);
    expect(counts).toMatchObject({ gaps: 0, duplicates: 2 });
  });

  test("counts payloads of another length", () => {
    expect(check(stored([0], payloadOf(29)), 0).counts).toMatchObject({ wrongLengths: 1, damaged: 0 });
  });

  test("counts a wrong checksum, and other content under a right one", () => {
    const [damaged] = stored([0]);
    damaged![70]! ^= 1;
    expect(check([damaged!], 0).counts.damaged).toBe(1);
    expect(check([sealed(damaged!)], 0).counts.damaged).toBe(1);
  });

  test("counts a reply that ends inside a message", () => {
    const reply = pollReply(stored([0, 1]));
    for (const missingBytes of [1, 50, 94]) {
      const checker = new PollChecker(payload);
      checker.check(reply.subarray(0, reply.length - missingBytes), 0);
      expect(checker.counts).toMatchObject({ messages: 1, damaged: 1 });
    }
  });

  test("reads the origin timestamp of the first message", () => {
    expect(firstOriginMicros(pollReply(stored([3])))).toBe(1_700_000_000_123_456);
  });
});

test("actors are shared out over at most eight processes, as evenly as possible", () => {
  const tasks = Array.from({ length: 19 }, (_, index) => ({
    role: "producer" as const,
    index,
    availableMessages: undefined,
  }));
  expect(shareOut(tasks.slice(0, 3)).map((share) => share.length)).toEqual([1, 1, 1]);
  const shares = shareOut(tasks);
  expect(shares.map((share) => share.length)).toEqual([3, 3, 3, 2, 2, 2, 2, 2]);
  expect(shares.flat().length).toBe(19);
});

test("lines are put together from any chunks", async () => {
  const bytes = new TextEncoder().encode("one\n\ntwo ü\nthree");
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const lines: string[] = [];
  for await (const line of linesOf(stream)) lines.push(line);
  expect(lines).toEqual(["one", "two ü", "three"]);
});
