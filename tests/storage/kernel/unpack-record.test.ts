// Batches of 0.9 producers become batches of 0.8 messages: the page's vectors, recorded sends, and every check.

import { describe, expect, test } from "bun:test";
import { AssertionError } from "../../../src/platform/assert.ts";
import golden from "./golden-records.json" with { type: "json" };
import { bothArenas } from "./kernel-arena.ts";
import { unpack } from "./record-arena.ts";
import { vectorFrames, vectorMessages, vectorSentHeader } from "./record-vectors.ts";
import { buildRecord, buildSent, parseRecords, type RecordMessage, resealRecord } from "./records.ts";

const empty = new Uint8Array(0);

function message(index: number, payloadBytes: number, userHeadersBytes = 0): RecordMessage {
  return {
    id: BigInt(index) + (7n << 100n),
    payload: new Uint8Array(payloadBytes).fill(index + 1),
    userHeaders: new Uint8Array(userHeadersBytes).fill(index + 101),
    originTimestamp: 1_750_000_000_000_000n + BigInt(index * 3),
  };
}

const three = [message(0, 10), message(1, 0, 30), message(2, 500)];

describe.each(["wasm", "js"] as const)("%s kernel unpacks", (name) => {
  const arena = bothArenas(66_000_000)[name];
  const { kernel } = arena;

  /** The code for `three` after a change whose checksums are right again unless `sealed` is false. */
  function codeAfter(change: (view: DataView, record: Uint8Array) => Uint8Array | undefined, sealed = true): unknown {
    const built = buildRecord(three);
    const record = change(new DataView(built.buffer), built) ?? built;
    if (sealed) resealRecord(record);
    const { code, header, canariesLive } = unpack(arena, record, 3);
    expect(canariesLive).toBe(true);
    expect(header).toEqual(record.slice(0, 256));
    return code;
  }

  test("the record of the page into the messages of the request of 0.8", () => {
    const record = Uint8Array.fromHex(vectorSentHeader + vectorFrames.join(""));
    const { code, header, rows, messages } = unpack(arena, record, 2);
    expect(code).toBe(0);
    expect(header).toEqual(record.slice(0, 256));
    expect(rows.toHex()).toBe("00000000450000000000000000000000" + "00000000a70000000000000000000000");
    expect(messages).toEqual(new Uint8Array(Buffer.concat(vectorMessages.map(buildSent))));
  });

  test.each(golden.sends.map((send) => [send.name, send.code, send.record] as const))("%s: %d", (_name, code, hex) => {
    const record = Uint8Array.fromHex(hex);
    const count = new DataView(record.buffer).getUint32(48, true);
    const found = unpack(arena, record, count);
    expect(found.code).toBe(code);
    if (code === 0) {
      expect(found.messages).toEqual(new Uint8Array(Buffer.concat(parseRecords(record).map(buildSent))));
    }
  });

  test("one message and thousands, and what comes out is taken by validate and stamp", () => {
    for (const count of [1, 2, 5, 25, 26, 27, 28, 42, 43, 44, 58, 59, 60, 5000]) {
      const messages = Array.from({ length: count }, (_, index) => message(index, (index * 37) % 300, index % 9));
      const record = buildRecord(messages);
      const area = new Uint8Array(count * 32 + record.byteLength - 256);
      area.set(record.subarray(256), count * 32);
      const [header, rows] = arena.placeAll([record.subarray(0, 256), area]);
      const sent = rows! + count * 16;
      const sizeBytes = record.byteLength - 256 + count * 16;
      expect(kernel.unpackRecord(header!, sent + count * 16, record.byteLength - 256, rows!, sent)).toBe(0);
      expect(arena.read(sent, sizeBytes)).toEqual(new Uint8Array(Buffer.concat(messages.map(buildSent))));
      expect(kernel.validate(rows!, count, sent, sizeBytes)).toBe(0);
      kernel.stamp(rows!, count, sent, sizeBytes, 40, 0, 0, 1_752_000_000_000_000);
      expect(kernel.scan(sent, sizeBytes, 40, 0, 0, rows!, count)).toEqual({
        messagesCount: count,
        validBytes: sizeBytes,
        stop: "end",
      });
      expect(arena.canariesLive()).toBe(true);
    }
  });

  test("with room to spare between the areas", () => {
    for (const slack of [
      { rows: 48, frames: 0 },
      { rows: 0, frames: 1 },
      { rows: 5, frames: 1000 },
    ]) {
      const { code, messages, canariesLive } = unpack(arena, buildRecord(three), 3, slack);
      expect(code).toBe(0);
      expect(messages).toEqual(new Uint8Array(Buffer.concat(three.map(buildSent))));
      expect(canariesLive).toBe(true);
    }
  });

  test("an origin timestamp whose delta leaves the low 32 bits", () => {
    const times = [0xffff_fffdn, 0xffff_ffffn, 0x1_0000_0005n].map((time) => time + (3n << 32n));
    const messages = times.map((originTimestamp) => ({ id: 1n, payload: empty, userHeaders: empty, originTimestamp }));
    expect(unpack(arena, buildRecord(messages), 3).messages).toEqual(
      new Uint8Array(Buffer.concat(messages.map(buildSent))),
    );
  });

  test.each<[string, number, (view: DataView, record: Uint8Array) => Uint8Array | undefined]>([
    ["nothing changed", 0, () => undefined],
    ["partition, base offset and base timestamp as sent", 0, (view) => view.setBigUint64(8, 77n, true) ?? undefined],
    [
      "deltas that do not count up: the partition numbers the messages",
      0,
      (view) => view.setUint32(256 + 24, 9, true) ?? undefined,
    ],
    ["count 0", 4009, (view) => view.setUint32(48, 0, true) ?? undefined],
    ["count too small", 3, (view) => view.setUint32(48, 2, true) ?? undefined],
    ["count larger than the bytes can hold", 3, (view) => view.setUint32(48, 0xffff_ffff, true) ?? undefined],
    ["batch length too small", 3, (view) => view.setUint32(32, 0, true) ?? undefined],
    ["batch length, high half", 3, (view) => view.setUint32(36, 1, true) ?? undefined],
    ["first reserved byte of the header", 3, (view) => view.setUint8(52, 1) ?? undefined],
    ["last reserved byte of the header", 3, (view) => view.setUint8(255, 1) ?? undefined],
    ["reserved bytes of a frame", 3, (view) => view.setUint8(256 + 58 + 47, 1) ?? undefined],
    ["a frame beyond the end", 3, (view) => view.setUint32(256 + 58 + 78 + 36, 501, true) ?? undefined],
    ["lengths whose sum leaves 32 bits", 3, (view) => view.setUint32(256 + 36, 0xffff_ffe0, true) ?? undefined],
    ["both lengths huge", 3, (view) => view.setBigUint64(256 + 32, 2n ** 64n - 1n, true) ?? undefined],
  ])("%s: %d", (_name, code, change) => {
    expect(codeAfter(change)).toBe(code);
  });

  test("bytes behind the last frame are refused", () => {
    const code = codeAfter((_view, record) => {
      const longer = new Uint8Array(record.byteLength + 8);
      longer.set(record);
      new DataView(longer.buffer).setBigUint64(32, BigInt(longer.byteLength), true);
      return longer;
    });
    expect(code).toBe(3);
  });

  test("checksums", () => {
    expect(codeAfter((view) => view.setUint8(256 + 58 + 50, 0xff) ?? undefined, false)).toBe(4027);
    expect(codeAfter((view) => view.setUint8(256, view.getUint8(256) ^ 1) ?? undefined, false)).toBe(4027);
    expect(codeAfter((view) => view.setUint8(40, view.getUint8(40) ^ 1) ?? undefined, false)).toBe(4039);
    expect(codeAfter((view) => view.setUint8(0, 1) ?? undefined, false)).toBe(4039);
  });

  test("sizes at their limits, and one more", () => {
    const oneOf = (payloadBytes: number, userHeadersBytes: number): unknown =>
      unpack(arena, buildRecord([message(0, payloadBytes, userHeadersBytes)]), 1).code;
    expect(oneOf(64_000_000, 0)).toBe(0);
    expect(oneOf(64_000_001, 0)).toBe(4022);
    expect(oneOf(1, 100_000)).toBe(0);
    expect(oneOf(1, 100_001)).toBe(4017);
  });

  test("a flipped bit anywhere is refused", () => {
    const record = buildRecord([message(0, 3), message(1, 2, 4)]);
    for (let bit = 0; bit < record.byteLength * 8; bit++) {
      const broken = record.slice();
      broken[bit >> 3]! ^= 1 << (bit & 7);
      const { code, header, canariesLive } = unpack(arena, broken, 2);
      expect(canariesLive).toBe(true);
      // A count that fits the frames but not the room cannot come from a caller that lays the areas out by this very count.
      expect([3, 4009, 4027, 4039, "rows and messages have the room that the record's count asks for"]).toContain(
        code as number,
      );
      expect(header).toEqual(broken.slice(0, 256));
    }
  });

  test("areas that overlap, stand in another order or lie outside are the caller's fault", () => {
    const record = buildRecord(three);
    const [header, rows] = arena.placeAll([record.subarray(0, 256), new Uint8Array(2000)]);
    const framesBytes = record.byteLength - 256;
    for (const [headerPosition, frames, rowsPosition, messages] of [
      [header!, rows! + 95, rows!, rows! + 48], // no room for three messages to grow
      [header!, rows! + 96, rows!, rows! + 47], // no room for three rows
      [header!, rows!, rows! + 96, rows! + 48],
      [rows!, rows! + 96, rows!, rows! + 48],
      [rows! - 255, rows! + 96, rows!, rows! + 48],
      [header!, 2 ** 33, rows!, rows! + 48],
      [-256, rows! + 96, rows!, rows! + 48],
      [header!, rows! + 96, rows!, rows! + 48.5],
    ] as const) {
      expect(() => kernel.unpackRecord(headerPosition, frames, framesBytes, rowsPosition, messages)).toThrow(
        AssertionError,
      );
    }
  });
});
