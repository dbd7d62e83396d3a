// Memory for the send requests of one shard, from the first byte that arrives to the last byte written to the disk. Small
// frames lie in a WebAssembly memory, where the batch kernel works in place; it is shared, so that the shard that owns the
// partition stamps and writes the bytes where they are and nothing is copied between shards. Larger frames get a memory of
// their own that grows as bytes arrive: an announced length takes no memory (large-frames.ts).
import { ptr } from "bun:ffi";
import { assert } from "../platform/assert.ts";
import { type LargeFrame, LargeFrames } from "./large-frames.ts";

/** Frames up to this size lie in the arena. */
export const arenaFrameBytesMax = 8 * 1024 * 1024;

const slotBytesMin = 4 * 1024;
const wasmPageBytes = 64 * 1024;
/** The arena grows by at least this much. */
const growthBytes = 4 * 1024 * 1024;

/** Where the payload of one send request lies. Given back with `FrameMemory.release`, exactly once. */
export interface FrameBuffer extends LargeFrame {
  /** The whole memory; `position` is into it. Read it anew after `reserve`. */
  memory: Uint8Array;
  readonly position: number;
  readonly sizeBytes: number;
  /** Native address of `memory[0]`, for receiving straight into it; 0: not to be used. */
  readonly address: number;
  /** Undefined in the arena, and before the first byte. */
  large: SharedArrayBuffer | undefined;
  /** In the arena; `noSlot`: a memory of its own. */
  readonly slotClass: number;
}

/** The slot class of a frame with a memory of its own. */
const noSlot = -1;
const nothing = new Uint8Array(0);

export interface FrameMemoryOptions {
  readonly memory: WebAssembly.Memory;
  /** Bytes at the start of the memory that are not given out. */
  readonly reservedBytes: number;
  /** Most bytes of the arena. */
  readonly arenaBytesMax: number;
  /** Most bytes of all large frames together. */
  readonly largeBytesMax: number;
}

export class FrameMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #arenaBytesMax: number;
  readonly #largeBytesMax: number;
  readonly #large: LargeFrames;
  /** Free positions by size class (powers of two from 4 KiB), last in first out: what was just used is in the cache. */
  readonly #free: number[][] = [];
  readonly #waiters: (() => void)[] = [];
  readonly #address: number;
  #view: Uint8Array;
  #nextPosition: number;
  /** Whether anything was given back since free slots were last joined. */
  #mayRegroup = false;

  constructor(options: FrameMemoryOptions) {
    this.#memory = options.memory;
    this.#arenaBytesMax = options.arenaBytesMax;
    this.#largeBytesMax = options.largeBytesMax;
    this.#large = new LargeFrames(options.largeBytesMax);
    this.#nextPosition = options.reservedBytes;
    this.#view = new Uint8Array(options.memory.buffer);
    this.#address = ptr(this.#view);
    for (let size = slotBytesMin; size <= arenaFrameBytesMax; size *= 2) this.#free.push([]);
  }

  /** Bytes that may ever be asked for at once. */
  get frameBytesMax(): number {
    return this.#largeBytesMax;
  }

  /** Whether somebody waits for memory. */
  get isShort(): boolean {
    return this.#waiters.length > 0;
  }

  /** A place for a payload of `sizeBytes`, of which `reserve` makes room; undefined where it could never be whole. */
  allocate(sizeBytes: number): FrameBuffer | undefined {
    if (sizeBytes > arenaFrameBytesMax) return this.#allocateLarge(sizeBytes);
    const slotClass = sizeBytes <= slotBytesMin ? 0 : 32 - Math.clz32((sizeBytes - 1) >>> 12);
    const position =
      this.#free[slotClass]!.pop() ?? this.#carve(slotBytesMin << slotClass) ?? this.#takeFromOthers(slotClass);
    // The arena is in use: such a frame is treated as a large one.
    if (position === undefined) return this.#allocateLarge(sizeBytes);
    return {
      memory: this.#view,
      position,
      sizeBytes,
      address: this.#address,
      large: undefined,
      slotClass,
      grantedBytes: 0,
    };
  }

  /**
   * Whether there is room for the first `usedBytes` of what arrives; if not, `whenFree` tells when to try again. `startBytes` are
   * kept free before it. They take no memory before somebody writes there, so they are charged along with what arrives.
   */
  reserve(buffer: FrameBuffer, usedBytes: number, startBytes = 0): boolean {
    if (buffer.slotClass !== noSlot) return true;
    const before = buffer.grantedBytes;
    const { sizeBytes } = buffer;
    const chargedBytes =
      startBytes === 0 ? usedBytes : usedBytes + Math.ceil(startBytes * (usedBytes / (sizeBytes - startBytes)));
    if (!this.#large.grant(buffer, chargedBytes)) return false;
    if (buffer.large !== undefined && buffer.grantedBytes === before) return true;
    buffer.large ??= new SharedArrayBuffer(0, { maxByteLength: sizeBytes });
    buffer.large.grow(Math.min(startBytes + buffer.grantedBytes, sizeBytes));
    buffer.memory = new Uint8Array(buffer.large);
    return true;
  }

  release(buffer: FrameBuffer): void {
    if (buffer.slotClass === noSlot) {
      this.#large.delete(buffer);
      // One that had nothing gives nothing back; whoever waits for memory waits for that of large frames.
      if (buffer.grantedBytes > 0) for (const wake of this.#waiters.splice(0)) wake();
      return;
    }
    this.#free[buffer.slotClass]!.push(buffer.position);
    this.#mayRegroup = true;
  }

  /** Calls `wake` once, when memory of a large frame was given back. */
  whenFree(wake: () => void): void {
    this.#waiters.push(wake);
  }

  #carve(slotBytes: number): number | undefined {
    const position = this.#nextPosition;
    const end = position + slotBytes;
    if (end > this.#arenaBytesMax) return undefined;
    const missing = end - this.#view.byteLength;
    if (missing > 0) {
      const wanted = Math.min(Math.max(missing, growthBytes), this.#arenaBytesMax - this.#view.byteLength);
      this.#memory.grow(Math.ceil(Math.max(wanted, missing) / wasmPageBytes));
      this.#view = new Uint8Array(this.#memory.buffer);
      assert(ptr(this.#view) === this.#address, "a shared memory stays where it is when it grows");
    }
    this.#nextPosition = end;
    return position;
  }

  /** The whole arena is given out, and no slot of this class is free: joins free slots of other classes, and cuts one. */
  #takeFromOthers(slotClass: number): number | undefined {
    if (!this.#mayRegroup) return undefined;
    this.#mayRegroup = false;
    const free = this.#free
      .flatMap((positions, index) => positions.map((start) => ({ start, end: start + (slotBytesMin << index) })))
      .sort((left, right) => left.start - right.start);
    for (const positions of this.#free) positions.length = 0;
    const wantedBytes = slotBytesMin << slotClass;
    let taken: number | undefined;
    let run = free[0];
    for (const next of [...free.slice(1), undefined]) {
      if (run === undefined) break;
      if (next !== undefined && next.start === run.end) {
        run = { start: run.start, end: next.end };
        continue;
      }
      if (taken === undefined && run.end - run.start >= wantedBytes) {
        taken = run.start;
        run = { start: run.start + wantedBytes, end: run.end };
      }
      this.#cut(run.start, run.end);
      run = next;
    }
    return taken;
  }

  /** Makes free slots of a range, the largest first. */
  #cut(start: number, end: number): void {
    let position = start;
    for (let slotClass = this.#free.length - 1; slotClass >= 0; slotClass--) {
      const slotBytes = slotBytesMin << slotClass;
      for (; end - position >= slotBytes; position += slotBytes) this.#free[slotClass]!.push(position);
    }
  }

  #allocateLarge(sizeBytes: number): FrameBuffer | undefined {
    const place = { memory: nothing, position: 0, sizeBytes, address: 0, large: undefined };
    const buffer: FrameBuffer = { ...place, slotClass: noSlot, grantedBytes: 0 };
    return this.#large.add(buffer) ? buffer : undefined;
  }
}
