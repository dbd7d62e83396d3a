// The send whose payload a connection is receiving: where the bytes go, and whether they come fast enough for others to wait for
// their memory.
import type { FrameBuffer, FrameMemory } from "../shard/index.ts";
import { FramePace } from "./frame-pace.ts";
import type { PayloadTarget } from "./frame-parser.ts";

export class SendReceiver {
  readonly #memory: FrameMemory;
  /** Bytes of the payload that have arrived. */
  readonly #receivedBytes: () => number;
  /** There is memory again for a payload that had to wait. */
  readonly #onMemory: () => void;
  readonly #pace = new FramePace();
  #buffer: FrameBuffer | undefined;
  #payloadStart = 0;
  #waitsForMemory = false;

  constructor(memory: FrameMemory, receivedBytes: () => number, onMemory: () => void) {
    this.#memory = memory;
    this.#receivedBytes = receivedBytes;
    this.#onMemory = onMemory;
  }

  /** The payload cannot go on until others give memory back. */
  get waitsForMemory(): boolean {
    return this.#waitsForMemory;
  }

  /** Native address of the first byte of the payload, for receiving straight into its place; 0: not to be used. */
  get payloadAddress(): number {
    const buffer = this.#buffer;
    if (buffer === undefined || buffer.address === 0) return 0;
    return buffer.address + buffer.position + this.#payloadStart;
  }

  /** A place for a payload of `payloadBytes`, behind `startBytes` that are kept free before it; false: it could never be whole. */
  open(payloadBytes: number, startBytes: number): boolean {
    this.#buffer = this.#memory.allocate(startBytes + payloadBytes);
    this.#payloadStart = startBytes;
    this.#pace.begin(performance.now());
    return this.#buffer !== undefined;
  }

  /** Where the payload goes whose first `usedBytes` will have arrived; undefined: not before `onMemory`. */
  target(usedBytes: number): PayloadTarget | undefined {
    const buffer = this.#buffer!;
    if (this.#memory.reserve(buffer, usedBytes, this.#payloadStart)) {
      return { memory: buffer.memory, position: buffer.position + this.#payloadStart };
    }
    this.#waitForMemory();
    return undefined;
  }

  /** The payload is whole: it belongs to the caller, who gives it back to the frame memory. */
  take(): FrameBuffer {
    const buffer = this.#buffer!;
    this.#buffer = undefined;
    return buffer;
  }

  /** The payload will not be whole. */
  release(): void {
    if (this.#buffer !== undefined) this.#memory.release(this.#buffer);
    this.#buffer = undefined;
  }

  /** Whether it holds memory, for which others have waited since `sinceMs`, without keeping pace. */
  isHoldingUp(nowMs: number, sinceMs: number): boolean {
    if (this.#buffer === undefined || this.#waitsForMemory) return false;
    return this.#pace.isTooSlow(nowMs, sinceMs, this.#receivedBytes());
  }

  #waitForMemory(): void {
    if (this.#waitsForMemory) return;
    this.#waitsForMemory = true;
    this.#memory.whenFree(() => {
      this.#waitsForMemory = false;
      this.#pace.begin(performance.now(), this.#receivedBytes());
      this.#onMemory();
    });
  }
}
