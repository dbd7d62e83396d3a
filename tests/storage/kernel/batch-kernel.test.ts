import { describe, expect, test } from "bun:test";
import { AssertionError } from "../../../src/platform/assert.ts";
import { JsBatchKernel } from "../../../src/storage/kernel/js-batch-kernel.ts";
import { WasmBatchKernel } from "../../../src/storage/kernel/wasm-batch-kernel.ts";
import { type Batch, buildBatch, sharedMemory, testSeed } from "./batches.ts";
import { bothArenas } from "./kernel-arena.ts";

const timestampMicros = 1_752_000_123_456_789;

describe.each(["wasm", "js"] as const)("%s kernel", (name) => {
  const arena = bothArenas(66_000_000)[name];

  function validate(batch: Batch, change?: (rows: DataView, messages: DataView) => void): number {
    const rows = batch.rows.slice();
    const messages = batch.messages.slice();
    change?.(new DataView(rows.buffer), new DataView(messages.buffer));
    const { rowsPosition, messagesPosition } = arena.place(rows, messages, true);
    return arena.kernel.validate(rowsPosition, batch.count, messagesPosition, messages.byteLength);
  }

  function stamp(batch: Batch, firstOffset: number, segmentStartOffset: number, segmentPosition: number) {
    const { rowsPosition, messagesPosition } = arena.place(batch.rows, batch.messages, true);
    const sizeBytes = batch.messages.byteLength;
    arena.kernel.stamp(
      rowsPosition,
      batch.count,
      messagesPosition,
      sizeBytes,
      firstOffset,
      segmentStartOffset,
      segmentPosition,
      timestampMicros,
    );
    return {
      rows: arena.read(rowsPosition, batch.rows.byteLength),
      messages: arena.read(messagesPosition, sizeBytes),
    };
  }

  function scan(messages: Uint8Array, firstOffset: number, rowsMax: number) {
    const { rowsPosition, messagesPosition } = arena.place(new Uint8Array(rowsMax * 16), messages, false);
    const result = arena.kernel.scan(messagesPosition, messages.byteLength, firstOffset, 0, 0, rowsPosition, rowsMax);
    return { ...result, rows: arena.read(rowsPosition, rowsMax * 16) };
  }

  const three = buildBatch([
    { payload: new Uint8Array(10) },
    { payload: new Uint8Array(0), userHeaders: new Uint8Array(30) },
    { payload: new Uint8Array(500) },
  ]);

  describe("validate", () => {
    test.each<[string, number, (rows: DataView, messages: DataView) => void]>([
      ["nothing changed", 0, () => {}],
      ["a relative offset in a row", 4031, (rows) => rows.setUint32(16, 1, true)],
      ["a timestamp in a row, high half", 4032, (rows) => rows.setUint32(28, 1, true)],
      ["a row that leaves fewer than 64 bytes", 4033, (rows) => rows.setUint32(4, 63, true)],
      ["a row beyond the end", 4033, (rows) => rows.setUint32(20, 100_000, true)],
      ["a row that goes down before the last", 4033, (rows) => rows.setUint32(20, 20, true)],
      ["a message that does not fit between its rows", 4033, (_, messages) => messages.setUint32(52, 11, true)],
      ["lengths whose sum leaves 32 bits", 4033, (_, messages) => messages.setUint32(48, 0xffff_ffff, true)],
      ["falling offsets", 4100, (_, messages) => messages.setUint32(24, 1, true)],
      ["falling offsets, high half", 4100, (_, messages) => messages.setUint32(28, 0x8000_0000, true)],
      [
        "growing offsets",
        0,
        (_, messages) => messages.setUint32(74 + 24, 1, true) ?? messages.setUint32(168 + 28, 1, true),
      ],
      ["a last row that goes down", 10011, (rows) => rows.setUint32(36, 5, true)],
      ["a last row that points beyond the end", 0, (rows) => rows.setUint32(36, 0xffff_ffff, true)],
      ["a message that is smaller than its place", 4036, (_, messages) => messages.setUint32(52, 9, true)],
      [
        "a bad message before a bad row: the message is seen first",
        4033,
        (rows, messages) => {
          messages.setUint32(52, 11, true);
          rows.setUint32(16, 1, true);
        },
      ],
      [
        "a bad row and its bad message: the row is seen first",
        4032,
        (rows, messages) => {
          messages.setUint32(52, 11, true);
          rows.setUint32(8, 1, true);
        },
      ],
    ])("%s: %d", (_name, code, change) => {
      expect(validate(three, change)).toBe(code);
    });

    test("no messages: 4009", () => {
      expect(validate(buildBatch([]))).toBe(4009);
    });

    test("payloads have 64,000,000 bytes at most, user headers 100,000", () => {
      expect(
        validate(buildBatch([{ payload: new Uint8Array(64_000_000), userHeaders: new Uint8Array(100_000) }])),
      ).toBe(0);
      expect(validate(buildBatch([{ payload: new Uint8Array(64_000_001) }]))).toBe(4022);
      expect(validate(buildBatch([{ payload: new Uint8Array(1), userHeaders: new Uint8Array(100_001) }]))).toBe(4017);
    });
  });

  describe("stamp", () => {
    test("fills offset, time and checksum, keeps an id, clears the reserved field", () => {
      const payload = new TextEncoder().encode("hello");
      const batch = buildBatch([
        { payload, id: 0x0f0e0d0c_0b0a0908_07060504_03020100n, reserved: 7n },
        { payload, id: 1n, offset: 9n },
      ]);
      const firstOffset = 5_000_000_000;
      const { messages } = stamp(batch, firstOffset, 4_999_999_000, 0);
      for (const index of [0, 1]) {
        const message = messages.slice(index * 69, (index + 1) * 69);
        const view = new DataView(message.buffer);
        expect(view.getBigUint64(0, true)).toBe(Bun.hash.xxHash3(message.subarray(8)));
        expect(view.getBigUint64(24, true)).toBe(BigInt(firstOffset + index));
        expect(view.getBigUint64(32, true)).toBe(BigInt(timestampMicros));
        expect(view.getBigUint64(40, true)).toBe(1_752_000_000_000_000n + BigInt(index));
        expect(view.getBigUint64(56, true)).toBe(0n);
        expect(message.subarray(64)).toEqual(payload);
      }
      expect([...messages.subarray(8, 24)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
      expect(messages[69 + 8]).toBe(1);
    });

    test("turns rows into rows of the index file, from the messages' own sizes", () => {
      const batch = { ...three, rows: three.rows.slice() };
      new DataView(batch.rows.buffer).setUint32(36, 0xffff_ffff, true);
      const rows = new DataView(stamp(batch, 107, 100, 1_000_000).rows.buffer);
      const read = [0, 16, 32].map((row) => [
        rows.getUint32(row, true),
        rows.getUint32(row + 4, true),
        Number(rows.getBigUint64(row + 8, true)),
      ]);
      expect(read).toEqual([
        [7, 1_000_074, timestampMicros],
        [8, 1_000_168, timestampMicros],
        [9, 1_000_732, timestampMicros],
      ]);
    });

    test("gives every message without an id its own version-4 UUID", () => {
      const count = 500;
      const { messages } = stamp(
        buildBatch(Array.from({ length: count }, () => ({ payload: new Uint8Array(1) }))),
        0,
        0,
        0,
      );
      const ids = new Set<string>();
      for (let index = 0; index < count; index++) {
        const id = messages.subarray(index * 65 + 8, index * 65 + 24);
        expect(id[6]! >> 4).toBe(4);
        expect(id[8]! >> 6).toBe(2);
        ids.add(id.toHex());
      }
      expect(ids.size).toBe(count);
    });

    test("refuses a batch that is not valid", () => {
      const batch = { ...three, messages: three.messages.slice() };
      new DataView(batch.messages.buffer).setUint32(52, 9, true);
      expect(() => stamp(batch, 0, 0, 0)).toThrow(AssertionError);
      expect(() => stamp({ ...three, count: 2 }, 0, 0, 0)).toThrow(AssertionError);
    });
  });

  describe("scan", () => {
    const stamped = stamp(three, 40, 0, 0);

    test("of what was stamped finds everything and the same rows", () => {
      expect(scan(stamped.messages, 40, 3)).toEqual({
        messagesCount: 3,
        validBytes: 732,
        stop: "end",
        rows: stamped.rows,
      });
    });

    test("of nothing ends at once", () => {
      expect(scan(new Uint8Array(0), 0, 0)).toMatchObject({ messagesCount: 0, validBytes: 0, stop: "end" });
    });

    test("stops when the rows are full", () => {
      expect(scan(stamped.messages, 40, 2)).toMatchObject({ messagesCount: 2, validBytes: 168, stop: "full" });
    });

    test.each([1, 63, 64, 563])("stops at a message of which only %d bytes are there", (partBytes) => {
      const cut = stamped.messages.subarray(0, 168 + partBytes);
      expect(scan(cut, 40, 3)).toMatchObject({ messagesCount: 2, validBytes: 168, stop: "incomplete" });
    });

    test("stops at any flipped bit of a message", () => {
      const end = 168;
      for (let position = 74; position < end; position++) {
        const broken = stamped.messages.slice(0, end);
        broken[position]! ^= 1 << (position % 8);
        const { messagesCount, validBytes, stop } = scan(broken, 40, 3);
        expect([messagesCount, validBytes]).toEqual([1, 74]);
        const isLength = position >= 74 + 48 && position < 74 + 56;
        expect(isLength ? ["corrupt", "incomplete"] : ["corrupt"]).toContain(stop);
      }
    });

    test.each([
      [0xffff_ffc0, 0],
      [0xffff_ffff, 0xffff_ffff],
      [10, 0xffff_fff0],
    ])("stops at lengths of %d and %d, whose sum leaves 32 bits", (payloadLength, userHeadersLength) => {
      const broken = stamped.messages.slice();
      const view = new DataView(broken.buffer);
      view.setUint32(74 + 52, payloadLength, true);
      view.setUint32(74 + 48, userHeadersLength, true);
      expect(scan(broken, 40, 3)).toMatchObject({ messagesCount: 1, validBytes: 74, stop: "incomplete" });
    });

    test("stops at a wrong offset, and at zeros behind the messages", () => {
      expect(scan(stamped.messages, 41, 3)).toMatchObject({ messagesCount: 0, validBytes: 0, stop: "corrupt" });
      const padded = new Uint8Array(732 + 200);
      padded.set(stamped.messages);
      expect(scan(padded, 40, 9)).toMatchObject({ messagesCount: 3, validBytes: 732, stop: "corrupt" });
      expect(scan(new Uint8Array(200), 0, 9)).toMatchObject({ messagesCount: 0, validBytes: 0, stop: "corrupt" });
    });
  });

  test("ranges outside the memory and numbers that are not whole are refused", () => {
    const { kernel } = arena;
    expect(() => kernel.validate(8192, 1, 66_000_000 + 2 ** 20, 64)).toThrow(AssertionError);
    expect(() => kernel.validate(8192, 2 ** 31, 4096, 64)).toThrow(AssertionError);
    expect(() => kernel.validate(-16, 1, 8192, 64)).toThrow(AssertionError);
    expect(() => kernel.scan(8192, 2 ** 32 + 64, 0, 0, 0, 4096, 1)).toThrow(AssertionError);
    expect(() => kernel.scan(8192, 64, 0.5, 0, 0, 4096, 1)).toThrow(AssertionError);
    expect(() => kernel.scan(8192, 64, 5, 6, 0, 4096, 1)).toThrow(AssertionError);
    expect(() => kernel.stamp(4096, 1, 8192, 64, 0, 0, 0, 2 ** 53)).toThrow(AssertionError);
  });
});

test("the WebAssembly kernel refuses its own reserved bytes", () => {
  const kernel = WasmBatchKernel.create(sharedMemory(65_536), testSeed);
  expect(() => kernel.validate(4095, 1, 8192, 64)).toThrow(AssertionError);
  expect(() => kernel.validate(8192, 1, 0, 64)).toThrow(AssertionError);
});

test("the WebAssembly kernel follows a memory that grows", () => {
  const memory = sharedMemory(65_536);
  const kernel = WasmBatchKernel.create(memory, testSeed);
  expect(() => kernel.validate(4096, 1, 100_000, 64)).toThrow(AssertionError);
  memory.grow(1);
  expect(kernel.validate(4096, 1, 100_000, 64)).toBe(0);
});

test("a second kernel over the same memory disturbs nothing and makes other ids", () => {
  const memory = sharedMemory(65_536);
  const bytes = new Uint8Array(memory.buffer);
  const first = WasmBatchKernel.create(memory, testSeed);
  const second = WasmBatchKernel.create(memory, testSeed.toReversed());
  const ids = [first, second].map((kernel) => {
    const batch = buildBatch([{ payload: new Uint8Array(300) }]);
    bytes.set(batch.rows, 4096);
    bytes.set(batch.messages, 8192);
    kernel.stamp(4096, 1, 8192, 364, 0, 0, 0, timestampMicros);
    expect(new DataView(memory.buffer).getBigUint64(8192, true)).toBe(Bun.hash.xxHash3(bytes.slice(8200, 8192 + 364)));
    return bytes.slice(8200, 8216).toHex();
  });
  expect(ids[0]).not.toBe(ids[1]!);
});

test("a seed has 32 bytes, not all zeros", () => {
  for (const seed of [new Uint8Array(32), new Uint8Array(31).fill(1)]) {
    expect(() => WasmBatchKernel.create(sharedMemory(65_536), seed)).toThrow(AssertionError);
    expect(() => new JsBatchKernel(new Uint8Array(64), seed)).toThrow(AssertionError);
  }
});
