// What a WebSocket client has sent and is not taken yet. The memory is made when something waits for the first time, starts
// at the base size, grows by that step with the load, and goes back to the base when it has become more than four times as
// large and what it held is used.
import type { Backlog } from "../backlog.ts";

export const receiveBufferBaseBytes = 128 * 1024;
export const receiveBufferBytesMax = 64 * 1024 * 1024;
const shrinkFactor = 4;

const nothing = new Uint8Array(0);

/** More waits than a connection may hold. */
export class ReceiveBufferFullError extends Error {
  override readonly name = "ReceiveBufferFullError";
}

export class ReceiveBuffer implements Backlog {
  readonly #baseBytes: number;
  readonly #bytesMax: number;
  #memory = nothing;
  #start = 0;
  #end = 0;

  constructor(baseBytes = receiveBufferBaseBytes, bytesMax = receiveBufferBytesMax) {
    this.#baseBytes = baseBytes;
    this.#bytesMax = Math.max(bytesMax, baseBytes);
  }

  get sizeBytes(): number {
    return this.#end - this.#start;
  }

  get capacityBytes(): number {
    return this.#memory.byteLength;
  }

  /** Adds a copy. Throws ReceiveBufferFullError, and is as it was, if that would be too much. */
  append(bytes: Uint8Array): void {
    const neededBytes = this.sizeBytes + bytes.byteLength;
    if (neededBytes > this.#bytesMax) throw new ReceiveBufferFullError(`more than ${this.#bytesMax} bytes wait`);
    if (neededBytes > this.#memory.byteLength) this.#move(new Uint8Array(this.#capacityFor(neededBytes)));
    else if (this.#end + bytes.byteLength > this.#memory.byteLength) this.#move(this.#memory);
    this.#memory.set(bytes, this.#end);
    this.#end += bytes.byteLength;
  }

  peek(): Uint8Array {
    return this.#memory.subarray(this.#start, this.#end);
  }

  consume(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    if (this.#memory.byteLength > shrinkFactor * this.#baseBytes) this.#memory = new Uint8Array(this.#baseBytes);
  }

  clear(): void {
    this.#memory = nothing;
    this.#start = 0;
    this.#end = 0;
  }

  #capacityFor(neededBytes: number): number {
    return Math.min(Math.ceil(neededBytes / this.#baseBytes) * this.#baseBytes, this.#bytesMax);
  }

  /** Moves what waits to the beginning of `memory`, which may be the present one. */
  #move(memory: Uint8Array<ArrayBuffer>): void {
    const sizeBytes = this.sizeBytes;
    if (memory === this.#memory) memory.copyWithin(0, this.#start, this.#end);
    else memory.set(this.peek());
    this.#memory = memory;
    this.#start = 0;
    this.#end = sizeBytes;
  }
}
