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
  test("the arena ends where it should, and what does not fit there is counted with the large frames", () => {
    const { memory, frames } = make({ arenaBytesMax: 8 * mebibyte, largeBytesMax: 3 * mebibyte });
    const held: FrameBuffer[] = [];
    for (;;) {
      const buffer = frames.allocate(mebibyte);
      if (buffer === undefined) break;
      held.push(buffer);
    }
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(8 * mebibyte);
    expect(held.filter(({ large }) => large === undefined)).toHaveLength(7);
    expect(held.filter(({ large }) => large !== undefined)).toHaveLength(3);
  });

  test("when all of the arena was given out in other sizes, every size is still served", () => {
    const { frames } = make({ arenaBytesMax: 16 * mebibyte });
    const held: FrameBuffer[] = [];
    for (const sizeBytes of [3 * mebibyte, 700_000, 50_000, 100]) {
      for (;;) {
        const buffer = allocate(frames, sizeBytes);
        held.push(buffer);
        if (buffer.large !== undefined) break;
      }
    }
    for (const buffer of held) frames.release(buffer);
    for (let sizeBytes = 1; sizeBytes < 30 * mebibyte; sizeBytes *= 3) frames.release(allocate(frames, sizeBytes));
  });

  test("large frames share one bound, and a release makes room", () => {
    const { frames } = make({ largeBytesMax: 50 * mebibyte });
    const first = allocate(frames, 30 * mebibyte);
    expect(frames.allocate(21 * mebibyte)).toBeUndefined();
    const second = allocate(frames, 20 * mebibyte);
    expect(frames.allocate(9 * mebibyte)).toBeUndefined();
    frames.release(first);
    allocate(frames, 30 * mebibyte);
    frames.release(second);
    expect(frames.allocate(51 * mebibyte)).toBeUndefined();
  });

  test("who waits is woken once, by the next release", () => {
    const { frames } = make({ largeBytesMax: 20 * mebibyte });
    const held = allocate(frames, 15 * mebibyte);
    const small = allocate(frames, 10);
    const woken: string[] = [];
    expect(frames.isShort).toBe(false);
    frames.whenFree(() => woken.push("first"));
    frames.whenFree(() => {
      woken.push("second");
      if (frames.allocate(15 * mebibyte) === undefined) frames.whenFree(() => woken.push("second again"));
    });
    expect(frames.isShort).toBe(true);
    frames.release(small);
    expect(woken).toEqual(["first", "second"]);
    expect(frames.isShort).toBe(true);
    frames.release(held);
    expect(woken).toEqual(["first", "second", "second again"]);
    expect(frames.isShort).toBe(false);
  });
});

describe("large frames", () => {
  test("take memory only as bytes arrive, and keep what has arrived", () => {
    const { frames } = make();
    const sizeBytes = 90 * mebibyte;
    const buffer = allocate(frames, sizeBytes);
    expect(buffer.large!.byteLength).toBe(0);
    frames.reserve(buffer, 1000);
    expect(buffer.large!.byteLength).toBeLessThanOrEqual(4 * mebibyte);
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
