// Against what the original answered and wrote: golden.json holds recorded send requests with their status, replies of
// polls, and a segment with its index file.

import { describe, expect, test } from "bun:test";
import { indexRowBytes } from "../../../src/protocol/message-layout.ts";
import golden from "./golden.json" with { type: "json" };
import { bothArenas } from "./kernel-arena.ts";

/** Statuses that come after the batch was found well-formed: unknown stream, topic or partition, no permission. */
const laterStatuses = [1009, 2010, 3007, 41];

/** Bytes of a poll reply before its messages: partition id, current offset, count (spec BP 4.5). */
const pollHeadBytes = 16;

function parseSend(payloadHex: string): { count: number; rows: Uint8Array; messages: Uint8Array } {
  const payload = Uint8Array.fromHex(payloadHex);
  const view = new DataView(payload.buffer);
  const rowsStart = 4 + view.getUint32(0, true);
  const count = view.getUint32(rowsStart - 4, true);
  const messagesStart = rowsStart + count * indexRowBytes;
  return { count, rows: payload.slice(rowsStart, messagesStart), messages: payload.slice(messagesStart) };
}

describe.each(["wasm", "js"] as const)("%s kernel against the record", (name) => {
  const arena = bothArenas(262_144)[name];

  test.each(
    golden.sends.map((send) => [send.name, send.status, send.payload] as const),
  )("%s: validation answers %d", (_name, status, payload) => {
    const { count, rows, messages } = parseSend(payload);
    const { rowsPosition, messagesPosition } = arena.place(rows, messages, true);
    const code = arena.kernel.validate(rowsPosition, count, messagesPosition, messages.byteLength);
    expect(code).toBe(laterStatuses.includes(status) ? 0 : status);
  });

  test("a stamped send is what the original gave back", () => {
    const { count, rows, messages } = parseSend(golden.sends.find((send) => send.name === "send two")!.payload);
    const reply = Uint8Array.fromHex(golden.polls.find((poll) => poll.name === "poll first")!.reply);
    const expected = reply.slice(pollHeadBytes);
    messages.set(expected.subarray(8, 24), 8); // the id that the original chose
    const timestampMicros = Number(new DataView(expected.buffer).getBigUint64(32, true));
    const { rowsPosition, messagesPosition } = arena.place(rows, messages, true);
    arena.kernel.stamp(rowsPosition, count, messagesPosition, messages.byteLength, 0, 0, 0, timestampMicros);
    expect(arena.read(messagesPosition, messages.byteLength)).toEqual(expected);
  });

  test.each(
    golden.polls.map((poll) => [poll.name, poll.reply] as const),
  )("%s: every message is valid", (_name, hex) => {
    const reply = Uint8Array.fromHex(hex);
    const view = new DataView(reply.buffer);
    const count = view.getUint32(12, true);
    const firstOffset = Number(view.getBigUint64(pollHeadBytes + 24, true));
    const messages = reply.slice(pollHeadBytes);
    const { rowsPosition, messagesPosition } = arena.place(new Uint8Array(count * 16), messages, false);
    const sizeBytes = messages.byteLength;
    expect(arena.kernel.scan(messagesPosition, sizeBytes, firstOffset, 0, 0, rowsPosition, count)).toEqual({
      messagesCount: count,
      validBytes: sizeBytes,
      stop: "end",
    });
  });

  test("the scan of a recorded segment gives its recorded index file", () => {
    const log = Uint8Array.fromHex(golden.segment.log);
    const index = Uint8Array.fromHex(golden.segment.index);
    const { rowsPosition, messagesPosition } = arena.place(new Uint8Array(index.byteLength), log, true);
    const rowsMax = index.byteLength / indexRowBytes;
    expect(arena.kernel.scan(messagesPosition, log.byteLength, 0, 0, 0, rowsPosition, rowsMax)).toEqual({
      messagesCount: rowsMax,
      validBytes: log.byteLength,
      stop: "end",
    });
    expect(arena.read(rowsPosition, index.byteLength)).toEqual(index);
  });
});
