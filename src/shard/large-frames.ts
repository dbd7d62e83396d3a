// Memory for frames that have no place in the arena. It is charged as bytes arrive: what is announced costs nothing, and a
// client that announces much and sends little keeps nobody waiting. Frames that have begun and may not grow would wait for
// each other for ever, so a frame grows only where afterwards all can still be completed in some order, each with what those
// before it give back (the banker's algorithm).

/** A frame's memory begins with this much, and doubles, up to a step: at most twice what has arrived. */
const firstBytes = 64 * 1024;
const stepBytesMax = 4 * 1024 * 1024;

/** One such frame. */
export interface LargeFrame {
  readonly sizeBytes: number;
  /** Bytes of memory that it has. */
  grantedBytes: number;
}

export class LargeFrames {
  readonly #bytesMax: number;
  readonly #frames = new Set<LargeFrame>();
  #grantedBytes = 0;
  #announcedBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether the frame can ever be whole. */
  add(frame: LargeFrame): boolean {
    if (frame.sizeBytes > this.#bytesMax) return false;
    this.#frames.add(frame);
    this.#announcedBytes += frame.sizeBytes;
    return true;
  }

  /** Whether the frame has `usedBytes` now; if not, it has what it had, and may have more when another one is gone. */
  grant(frame: LargeFrame, usedBytes: number): boolean {
    if (usedBytes <= frame.grantedBytes) return true;
    const { grantedBytes, sizeBytes } = frame;
    const step = Math.min(Math.max(grantedBytes, firstBytes), stepBytesMax);
    const ahead = Math.max(Math.min(grantedBytes + step, sizeBytes), usedBytes);
    return this.#take(frame, ahead) || this.#take(frame, usedBytes);
  }

  delete(frame: LargeFrame): void {
    if (!this.#frames.delete(frame)) return;
    this.#announcedBytes -= frame.sizeBytes;
    this.#grantedBytes -= frame.grantedBytes;
  }

  #take(frame: LargeFrame, bytes: number): boolean {
    const before = frame.grantedBytes;
    const freeBytes = this.#bytesMax - this.#grantedBytes - (bytes - before);
    if (freeBytes < 0) return false;
    frame.grantedBytes = bytes;
    if (this.#canAllComplete(freeBytes)) {
      this.#grantedBytes += bytes - before;
      return true;
    }
    frame.grantedBytes = before;
    return false;
  }

  #canAllComplete(freeBytes: number): boolean {
    if (this.#announcedBytes <= this.#bytesMax) return true;
    let leftBytes = freeBytes;
    for (const { sizeBytes, grantedBytes } of [...this.#frames].sort(byNeed)) {
      if (sizeBytes - grantedBytes > leftBytes) return false;
      leftBytes += grantedBytes;
    }
    return true;
  }
}

function byNeed(left: LargeFrame, right: LargeFrame): number {
  return left.sizeBytes - left.grantedBytes - (right.sizeBytes - right.grantedBytes);
}
