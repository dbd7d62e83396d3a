// Stored messages become 0.9 records: the page's vectors, a recorded poll, where records end, what fits.

import { describe, expect, test } from "bun:test";
import { AssertionError } from "../../../src/platform/assert.ts";
import golden from "./golden-records.json" with { type: "json" };
import { bothArenas } from "./kernel-arena.ts";
import { pack, packInPlace } from "./record-arena.ts";
import { vectorFrames, vectorMessages, vectorPolledHeader } from "./record-vectors.ts";
import { buildRecord, buildStored, parseRecords, type StoredMessage } from "./records.ts";

const timestamp = 1_750_000_002_500_000n;
const u32Max = 2n ** 32n - 1n;

/** Message `offset` of a log in which nothing forces a new record. */
function stored(offset: number, change: Partial<StoredMessage> = {}): StoredMessage {
  return {
    id: BigInt(offset) + (9n << 64n),
    offset: BigInt(offset),
    timestamp,
    originTimestamp: timestamp - 1000n + BigInt(offset),
    payload: new Uint8Array(offset % 50).fill(offset),
    userHeaders: new Uint8Array(offset % 7).fill(offset + 100),
    ...change,
  };
}

function range(from: number, to: number): StoredMessage[] {
  return Array.from({ length: to - from }, (_, index) => stored(from + index));
}

/** The records that the groups of messages make, one record each. */
function recordsOf(groups: readonly StoredMessage[][], partitionId = 0n): Uint8Array {
  const records = groups.map((group) =>
    buildRecord(group, { partitionId, baseOffset: group[0]!.offset, baseTimestamp: group[0]!.timestamp }),
  );
  return new Uint8Array(Buffer.concat(records));
}

describe.each(["wasm", "js"] as const)("%s kernel packs", (name) => {
  const arena = bothArenas(8_000_000)[name];

  function expectRecords(groups: readonly StoredMessage[][], partitionId = 0): void {
    const messages = buildStored(groups.flat());
    const expected = recordsOf(groups, BigInt(partitionId));
    const {
      result,
      written,
      measured,
      canariesLive,
      messages: after,
    } = pack(arena, messages, expected.byteLength, partitionId);
    expect(result).toEqual({
      usedBytes: messages.byteLength,
      writtenBytes: expected.byteLength,
      messagesCount: groups.flat().length,
    });
    expect(written).toEqual(expected);
    expect(measured).toBe(expected.byteLength);
    expect(after).toEqual(messages);
    expect(canariesLive).toBe(true);
  }

  test("the two messages of the page", () => {
    const { written } = pack(arena, buildStored(vectorMessages), 391);
    expect(written.toHex()).toBe(vectorPolledHeader + vectorFrames.join(""));
  });

  test("a recorded poll byte for byte", () => {
    const records = Uint8Array.fromHex(golden.poll).slice(16);
    const { written, measured } = pack(arena, buildStored(parseRecords(records)), records.byteLength);
    expect(written.toHex()).toBe(records.toHex());
    expect(measured).toBe(records.byteLength);
  });

  test("nothing", () => {
    const nothing = { usedBytes: 0, writtenBytes: 0, messagesCount: 0 };
    expect(pack(arena, new Uint8Array(0), 1000)).toMatchObject({ result: nothing, measured: 0, canariesLive: true });
  });

  test.each([1, 2, 24, 25, 26, 27, 28, 34, 41, 42, 43, 58, 59, 170, 3000])("one record of %d messages", (count) => {
    expectRecords([range(7, 7 + count)], 2 ** 32 - 1);
  });

  test("messages from no payload to more than 1 MiB", () => {
    const sizes = [0, 1, 15, 16, 63, 64, 65, 1023, 65_536, 1_048_576 + 13, 3];
    const sized = sizes.map((size, index) =>
      stored(index, {
        payload: Uint8Array.from({ length: size }, (_, at) => (at * 31 + index) & 0xff),
        userHeaders: new Uint8Array(index * 9).fill(index),
      }),
    );
    expectRecords([sized]);
  });

  test("a new record where the server timestamp changes, up, down or in its high half", () => {
    const later = (message: StoredMessage, by: bigint): StoredMessage => ({ ...message, timestamp: timestamp + by });
    expectRecords([
      range(0, 3),
      range(3, 5).map((message) => later(message, 1n)),
      range(5, 6).map((message) => later(message, 0n)),
      range(6, 9).map((message) => later(message, 2n ** 32n)),
    ]);
  });

  test("a new record at a gap in the offsets, and none where their low half wraps", () => {
    const wrap = [u32Max - 1n, u32Max, u32Max + 1n].map((offset, index) => stored(index, { offset }));
    expectRecords([range(0, 3), range(4, 6), range(3, 5), wrap]);
  });

  test("a new record where origin timestamps span more than 32 bits, and none where they just fit", () => {
    const at = (offset: number, originTimestamp: bigint): StoredMessage => stored(offset, { originTimestamp });
    const zero = 0n;
    expectRecords([[at(0, timestamp), at(1, timestamp + u32Max)], [at(2, timestamp + u32Max + 1n)]]);
    expectRecords([[at(0, timestamp)], [at(1, timestamp + u32Max + 1n)]]);
    // The smallest one comes last, and counts.
    expectRecords([[at(0, timestamp + 9n), at(1, timestamp + u32Max), at(2, timestamp)]]);
    expectRecords([[at(0, timestamp + u32Max), at(1, timestamp + 9n)], [at(2, timestamp - 1n)]]);
    // Producers that send 0 beside others that send real times.
    expectRecords([
      [at(0, zero), at(1, zero)],
      [at(2, timestamp)],
      [at(3, zero)],
      [at(4, timestamp), at(5, timestamp)],
    ]);
    expectRecords([[at(0, 2n ** 64n - 1n), at(1, 2n ** 64n - 1n - u32Max)], [at(2, 0n)], [at(3, 2n ** 63n)]]);
    expectRecords([[at(0, 0x1_ffff_fff0n), at(1, 0x2_0000_0010n), at(2, 0x1_0000_0011n)]]);
  });

  test("ids of 0 as they are, and a reserved field that is not 0 is lost", () => {
    expectRecords([[stored(0, { id: 0n }), stored(1)]]);
    const messages = buildStored([stored(0)]);
    new DataView(messages.buffer).setBigUint64(56, 77n, true);
    expect(pack(arena, messages, 1000).written).toEqual(recordsOf([[stored(0)]]));
  });

  test("in place, as near as it goes, whatever the size of the data", () => {
    for (let size = 0; size < 1300; size += size < 420 ? 1 : 13) {
      const group = [0, 1].map((offset) =>
        stored(offset, { payload: Uint8Array.from({ length: size }, (_, at) => (at * 31 + offset) & 0xff) }),
      );
      const messages = buildStored(group);
      const { result, written, canariesLive } = packInPlace(arena, messages, 304);
      if (!Buffer.from(written).equals(recordsOf([group]))) throw new Error(`another record for data of ${size} bytes`);
      expect(result.usedBytes).toBe(messages.byteLength);
      expect(canariesLive).toBe(true);
      // A byte nearer, and not even the first record is begun.
      const near = packInPlace(arena, messages, 303);
      expect(near.result).toEqual({ usedBytes: 0, writtenBytes: 0, messagesCount: 0 });
      expect(near.unused).toEqual(messages);
    }
  });

  test("a message that is not whole ends the work, wherever it is cut", () => {
    const groups = [range(10, 14)];
    const messages = buildStored(groups.flat());
    const third = buildStored(range(10, 12)).byteLength;
    for (let cut = third; cut < third + buildStored(range(12, 13)).byteLength; cut++) {
      const { result, written, measured, canariesLive } = pack(arena, messages.slice(0, cut), 2000);
      expect(result).toMatchObject({ usedBytes: third, messagesCount: 2 });
      expect(written).toEqual(recordsOf([range(10, 12)]));
      expect(measured).toBe(written.byteLength);
      expect(canariesLive).toBe(true);
    }
  });

  test("what does not fit the target stays, and what was written is complete", () => {
    const all = [...range(0, 3), ...range(3, 5).map((message) => ({ ...message, timestamp: timestamp + 5n }))];
    const messages = buildStored(all);
    const full = recordsOf([all.slice(0, 3), all.slice(3)]).byteLength;
    const counts = new Set<number>();
    for (let targetBytesMax = 0; targetBytesMax <= full + 1; targetBytesMax++) {
      const { result, written, canariesLive, measured, target } = pack(arena, messages, targetBytesMax);
      const back = parseRecords(written);
      expect(result).toEqual({
        usedBytes: buildStored(all.slice(0, back.length)).byteLength,
        writtenBytes: written.byteLength,
        messagesCount: back.length,
      });
      expect(written).toEqual(recordsOf([back.slice(0, 3), back.slice(3)].filter((group) => group.length > 0)));
      expect(target.subarray(written.byteLength).every((byte) => byte === 0xee)).toBe(true);
      expect(measured).toBe(full);
      expect(canariesLive).toBe(true);
      counts.add(back.length);
    }
    expect([...counts]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("lengths whose sum leaves 32 bits are a message that is not whole", () => {
    const messages = buildStored(range(0, 2));
    for (const [headersLength, payloadLength] of [
      [0xffff_ffff, 0xffff_ffff],
      [0xffff_ffc0, 0],
      [0, 0xffff_fff0],
    ] as const) {
      const view = new DataView(messages.buffer);
      view.setUint32(48, headersLength, true);
      view.setUint32(52, payloadLength, true);
      const nothing = { usedBytes: 0, writtenBytes: 0, messagesCount: 0 };
      expect(pack(arena, messages, 1000)).toMatchObject({ result: nothing, measured: 0, canariesLive: true });
    }
  });

  test("ranges outside the memory and partitions beyond 32 bits are the caller's fault", () => {
    const { kernel } = arena;
    expect(() => kernel.packRecords(2 ** 33, 64, 8192, 1000, 0)).toThrow(AssertionError);
    expect(() => kernel.packRecords(8192, 64, 16_384, 2 ** 32, 0)).toThrow(AssertionError);
    expect(() => kernel.packRecords(8192, 64, -4, 1000, 0)).toThrow(AssertionError);
    expect(() => kernel.packRecords(8192, 64, 16_384, 1000, 2 ** 32)).toThrow(AssertionError);
    expect(() => kernel.packRecords(8192, 64, 8193, 1000, 0)).toThrow(AssertionError);
    expect(() => kernel.packRecords(8192, 64, 8255, 1000, 0)).toThrow(AssertionError);
    expect(() => kernel.measureRecords(8192, 2 ** 33)).toThrow(AssertionError);
  });
});
