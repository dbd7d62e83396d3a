import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { arenaFrameBytesMax, type FrameBuffer, FrameMemory } from "../../src/shard/frame-memory.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const pageBytes = 64 * kibibyte;
const reservedBytes = 4096;

function make({ arenaBytesMax = 64 * mebibyte, largeBytesMax = 100 * mebibyte } = {}) {
  const memory = new WebAssembly.Memory({ shared: true, initial: 1, maximum: arenaBytesMax / pageBytes });
  return { memory, frames: new FrameMemory({ memory, reservedBytes, arenaBytesMax, largeBytesMax }) };
}

function allocate(frames: FrameMemory, sizeBytes: number): FrameBuffer {
  const buffer = frames.allocate(sizeBytes);
  if (buffer === undefined) throw new Error(`no room for ${sizeBytes} bytes`);
  return buffer;
}

describe("small frames", () => {
  test("lie in the arena, behind what is reserved, and the arena grows with them", () => {
    const { memory, frames } = make();
    const before = memory.buffer.byteLength;
    const buffers = [1, 4096, 4097, 100_000, arenaFrameBytesMax].map((sizeBytes) => allocate(frames, sizeBytes));
    for (const buffer of buffers) {
      expect(buffer.large).toBeUndefined();
      expect(buffer.position).toBeGreaterThanOrEqual(reservedBytes);
      expect(buffer.memory.byteLength).toBeGreaterThanOrEqual(buffer.position + buffer.sizeBytes);
      // The same memory, whenever the view was made.
      buffer.memory[buffer.position] = 77;
      expect(new Uint8Array(memory.buffer)[buffer.position]).toBe(77);
    }
    expect(memory.buffer.byteLength).toBeGreaterThan(before);
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(64 * mebibyte);
  });

  test("a slot that was given back is used again, the last one first", () => {
    const { frames } = make();
    const [first, second] = [allocate(frames, 5000), allocate(frames, 6000)];
    frames.release(first);
    frames.release(second);
    expect(allocate(frames, 8000).position).toBe(second.position);
    expect(allocate(frames, 8192).position).toBe(first.position);
    expect([first.position, second.position]).not.toContain(allocate(frames, 8000).position);
  });

  test("a thousand frames, one after the other, need one slot", () => {
    const { memory, frames } = make();
    frames.release(allocate(frames, 1_000_000));
    const before = memory.buffer.byteLength;
    for (let count = 0; count < 1000; count++) frames.release(allocate(frames, 600_000 + count));
    expect(memory.buffer.byteLength).toBe(before);
  });

  test("frames that are held never overlap", () => {
    const { frames } = make({ arenaBytesMax: 16 * mebibyte, largeBytesMax: 0 });
    const held: FrameBuffer[] = [];
    const step = fc.record({ sizeBytes: fc.integer({ min: 0, max: 300_000 }), victim: fc.option(fc.nat()) });
    fc.assert(
      fc.property(step, ({ sizeBytes, victim }) => {
        if (victim !== null && held.length > 0) frames.release(held.splice(victim % held.length, 1)[0]!);
        const buffer = frames.allocate(sizeBytes);
        if (buffer === undefined) return;
        for (const other of held) {
          const isApart =
            buffer.position + Math.max(buffer.sizeBytes, 1) <= other.position ||
            other.position + Math.max(other.sizeBytes, 1) <= buffer.position;
          expect(isApart).toBe(true);
        }
        held.push(buffer);
      }),
      { numRuns: 500 },
    );
  });
});

describe("limits", () => {
  test("the arena ends where it should, and what does not fit there is charged with the large frames, as it arrives", () => {
    const { memory, frames } = make({ arenaBytesMax: 8 * mebibyte, largeBytesMax: 3 * mebibyte });
    const held = Array.from({ length: 12 }, () => allocate(frames, mebibyte));
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(8 * mebibyte);
    const own = held.filter(({ address }) => address === 0);
    expect(own).toHaveLength(5);
    expect(own.map((buffer) => frames.reserve(buffer, mebibyte))).toEqual([true, true, true, false, false]);
  });

  test("when all of the arena was given out in other sizes, every size is still served", () => {
    const { frames } = make({ arenaBytesMax: 16 * mebibyte });
    const held: FrameBuffer[] = [];
    for (const sizeBytes of [3 * mebibyte, 700_000, 50_000, 100]) {
      for (;;) {
        const buffer = allocate(frames, sizeBytes);
        held.push(buffer);
        if (buffer.address === 0) break;
      }
    }
    for (const buffer of held) frames.release(buffer);
    for (let sizeBytes = 1; sizeBytes < 30 * mebibyte; sizeBytes *= 3) frames.release(allocate(frames, sizeBytes));
  });

  test("large frames share one bound, of what has arrived; a release makes room", () => {
    const { frames } = make({ largeBytesMax: 50 * mebibyte });
    const [first, second, third] = [30, 20, 40].map((size) => allocate(frames, size * mebibyte));
    expect(frames.reserve(first!, 30 * mebibyte)).toBe(true);
    expect(frames.reserve(second!, 20 * mebibyte)).toBe(true);
    expect(frames.reserve(third!, 1)).toBe(false);
    frames.release(first!);
    expect(frames.reserve(third!, 30 * mebibyte)).toBe(true);
    expect(frames.reserve(third!, 40 * mebibyte)).toBe(false);
    frames.release(second!);
    expect(frames.reserve(third!, 40 * mebibyte)).toBe(true);
    expect(frames.allocate(51 * mebibyte)).toBeUndefined();
  });

  test("what is announced keeps nobody waiting", () => {
    const { frames } = make({ largeBytesMax: 64 * mebibyte });
    for (let count = 0; count < 10; count++) expect(frames.reserve(allocate(frames, 60 * mebibyte), 1)).toBe(true);
    const honest = allocate(frames, 20 * mebibyte);
    for (let used = 64 * kibibyte; used <= 20 * mebibyte; used += 64 * kibibyte) {
      expect(frames.reserve(honest, used)).toBe(true);
    }
  });

  test("frames that grow in any order never wait for each other for ever, and never take more than the bound", () => {
    const largeBytesMax = 64 * mebibyte;
    const sizes = fc.array(fc.integer({ min: arenaFrameBytesMax + 1, max: largeBytesMax }), { maxLength: 12 });
    const order = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 20 * mebibyte })), { maxLength: 200 });
    fc.assert(
      fc.property(sizes, order, (announced, steps) => {
        const { frames } = make({ largeBytesMax });
        const open = announced.map((sizeBytes) => ({ buffer: allocate(frames, sizeBytes), usedBytes: 0 }));
        const taken = () => open.reduce((sum, { buffer }) => sum + (buffer.large?.byteLength ?? 0), 0);
        const grow = (index: number, bytes: number): boolean => {
          const frame = open[index]!;
          const usedBytes = Math.min(frame.usedBytes + bytes, frame.buffer.sizeBytes);
          if (!frames.reserve(frame.buffer, usedBytes)) return false;
          frame.usedBytes = usedBytes;
          expect(taken()).toBeLessThanOrEqual(largeBytesMax);
          if (usedBytes === frame.buffer.sizeBytes) frames.release(open.splice(index, 1)[0]!.buffer);
          return true;
        };
        for (const [index, bytes] of steps) if (open.length > 0) grow(index % open.length, bytes);
        while (open.length > 0) expect(open.some((_, index) => grow(index, largeBytesMax))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("who waits is woken once, by the next release of what a large frame had", () => {
    const { frames } = make({ largeBytesMax: 20 * mebibyte });
    const [held, waiting] = [allocate(frames, 15 * mebibyte), allocate(frames, 15 * mebibyte)];
    expect(frames.reserve(held, 15 * mebibyte)).toBe(true);
    const woken: string[] = [];
    expect(frames.isShort).toBe(false);
    expect(frames.reserve(waiting, 15 * mebibyte)).toBe(false);
    frames.whenFree(() => woken.push("first"));
    frames.whenFree(() => {
      woken.push("second");
      expect(frames.reserve(waiting, 15 * mebibyte)).toBe(true);
    });
    expect(frames.isShort).toBe(true);
    frames.release(allocate(frames, 10));
    frames.release(allocate(frames, 10 * mebibyte)); // of which nothing had arrived
    expect(woken).toEqual([]);
    frames.release(held);
    expect(woken).toEqual(["first", "second"]);
    expect(frames.isShort).toBe(false);
  });
});

describe("large frames", () => {
  test("take memory only as bytes arrive, and keep what has arrived", () => {
    const { frames } = make();
    const sizeBytes = 90 * mebibyte;
    const buffer = allocate(frames, sizeBytes);
    expect(buffer.large).toBeUndefined();
    frames.reserve(buffer, 1000);
    expect(buffer.large!.byteLength).toBeLessThanOrEqual(64 * kibibyte);
    buffer.memory.fill(7, 0, 1000);
    let reached = 1000;
    while (reached < sizeBytes) {
      reached = Math.min(reached + 3 * mebibyte, sizeBytes);
      frames.reserve(buffer, reached);
      expect(buffer.memory.byteLength).toBeGreaterThanOrEqual(reached);
      // Never more than twice what has arrived, or one step.
      expect(buffer.memory.byteLength).toBeLessThanOrEqual(Math.max(2 * reached, 4 * mebibyte));
    }
    expect(buffer.memory.byteLength).toBe(sizeBytes);
    expect(buffer.memory.subarray(0, 1001)).toEqual(new Uint8Array([...new Array(1000).fill(7), 0]));
    frames.release(buffer);
  });

  test("what is kept free before the payload is charged along with it, and there from the first byte on", () => {
    const { frames } = make();
    const [startBytes, payloadBytes] = [40 * mebibyte, 59 * mebibyte];
    const buffer = allocate(frames, startBytes + payloadBytes);
    expect(frames.reserve(buffer, 1, startBytes)).toBe(true);
    expect(buffer.grantedBytes).toBeLessThanOrEqual(64 * kibibyte);
    for (const part of [0.3, 0.31, 0.9, 1]) {
      const usedBytes = Math.floor(payloadBytes * part);
      expect(frames.reserve(buffer, usedBytes, startBytes)).toBe(true);
      expect(buffer.memory.byteLength).toBeGreaterThanOrEqual(startBytes + usedBytes);
      expect(buffer.grantedBytes).toBeGreaterThanOrEqual((usedBytes * buffer.sizeBytes) / payloadBytes);
      expect(buffer.grantedBytes).toBeLessThanOrEqual((usedBytes * buffer.sizeBytes) / payloadBytes + 4 * mebibyte);
    }
    expect(buffer.grantedBytes).toBe(buffer.sizeBytes);
  });

  test("reserving what is there already changes nothing", () => {
    const { frames } = make();
    const buffer = allocate(frames, 10 * mebibyte);
    frames.reserve(buffer, 5 * mebibyte);
    const { memory } = buffer;
    frames.reserve(buffer, 5 * mebibyte);
    frames.reserve(buffer, 1);
    expect(buffer.memory).toBe(memory);
    const small = allocate(frames, 100);
    const arena = small.memory;
    frames.reserve(small, 100);
    expect(small.memory).toBe(arena);
  });
});
