// Reads a reply, which lies in open files and in memory, from any position on.
import { readSync } from "node:fs";
import type { ReplyPart } from "./messages.ts";

/** Reads at any position of a reply, whatever parts it consists of. */
export class ReplyReader {
  readonly #parts: readonly ReplyPart[];

  constructor(parts: readonly ReplyPart[]) {
    this.#parts = parts;
  }

  /** Fills the target from `position` on; how many bytes there were. Throws when a file ends too early. */
  readAt(position: number, target: Uint8Array): number {
    let filledBytes = 0;
    let partStart = 0;
    for (const part of this.#parts) {
      const sizeBytes = part.kind === "bytes" ? part.bytes.byteLength : part.sizeBytes;
      const skipBytes = position + filledBytes - partStart;
      const count = Math.min(sizeBytes - skipBytes, target.byteLength - filledBytes);
      if (count > 0) copyPart(part, skipBytes, target.subarray(filledBytes, filledBytes + count));
      if (count > 0) filledBytes += count;
      if (filledBytes === target.byteLength) break;
      partStart += sizeBytes;
    }
    return filledBytes;
  }
}

function copyPart(part: ReplyPart, skipBytes: number, target: Uint8Array): void {
  if (part.kind === "bytes") {
    target.set(part.bytes.subarray(skipBytes, skipBytes + target.byteLength));
    return;
  }
  const count = readSync(part.fd, target, 0, target.byteLength, part.position + skipBytes);
  if (count !== target.byteLength) throw new Error(`a file that is being sent ends before position ${part.position}`);
}
