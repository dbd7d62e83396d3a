// Whether a request that arrives in pieces arrives fast enough for others to wait for its memory. Looked at once in a while, and
// only while memory is short.
import { heldFrameMs, slowestBytesPerMs, stalledFrameMs } from "./session-limits.ts";

export class FramePace {
  #startedAtMs = 0;
  /** Up to here it has kept pace. */
  #goodUntilMs = 0;
  #goodBytes = 0;

  /** A frame begins, or goes on after it had to wait itself. */
  begin(nowMs: number, receivedBytes = 0): void {
    this.#startedAtMs = nowMs;
    this.#goodUntilMs = nowMs;
    this.#goodBytes = receivedBytes;
  }

  /** `sinceMs`: when memory became short. A burst is no credit for later: what counts is the time since the last look. */
  isTooSlow(nowMs: number, sinceMs: number, receivedBytes: number): boolean {
    if (nowMs - Math.max(this.#startedAtMs, sinceMs) >= heldFrameMs) return true;
    const lateMs = nowMs - this.#goodUntilMs - (receivedBytes - this.#goodBytes) / slowestBytesPerMs;
    if (lateMs <= 0) {
      this.#goodUntilMs = nowMs;
      this.#goodBytes = receivedBytes;
    }
    return lateMs >= stalledFrameMs;
  }
}
