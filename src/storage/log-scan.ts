// A walk through the messages of a log file, slice by slice. It does no I/O itself: whoever walks reads `target` from
// `position`, synchronously or not, and hands the result to `take`.

import { MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import { JsBatchKernel } from "./kernel/js-batch-kernel.ts";
import { seedBytes } from "./kernel/message-id-source.ts";
import { messageBytesMax } from "./limits.ts";
import { rowSizeBytes } from "./row-block.ts";
import type { ScanRegion } from "./scan-memory.ts";

/** `torn`: the log ends inside a message. `corrupt`: a message is not what its checksum and its place say. */
export type ScanDamage = "torn" | "corrupt";

export class LogScan {
  readonly #segmentStartOffset: number;
  #region: ScanRegion;
  #endPosition: number;

  /** Everything from the start of the walk to here is valid. */
  position: number;
  /** Offset of the message that comes next. */
  nextOffset: number;
  damage: ScanDamage | undefined;
  /** Where the next bytes go. */
  target: Uint8Array;
  /** Index rows of the last slice. */
  rows: Uint8Array = new Uint8Array(0);

  /** Walks from `position`, where the message `nextOffset` starts, to `endPosition`. */
  constructor(
    region: ScanRegion,
    segmentStartOffset: number,
    nextOffset: number,
    position: number,
    endPosition: number,
  ) {
    this.#region = region;
    this.#segmentStartOffset = segmentStartOffset;
    this.#endPosition = endPosition;
    this.position = position;
    this.nextOffset = nextOffset;
    this.target = this.#nextTarget();
  }

  get done(): boolean {
    return this.damage !== undefined || this.position >= this.#endPosition;
  }

  /** Checks what was read into `target` from `position`; `gotBytes` is less than asked only at the end of the file. */
  take(gotBytes: number): void {
    if (gotBytes < this.target.byteLength) this.#endPosition = this.position + gotBytes;
    const region = this.#region;
    const firstPosition = this.position;
    const result = region.kernel.scan(
      region.messagesPosition,
      gotBytes,
      this.nextOffset,
      this.#segmentStartOffset,
      firstPosition,
      region.rowsPosition,
      region.rowsMax,
    );
    this.rows = region.memory.subarray(region.rowsPosition, region.rowsPosition + result.messagesCount * rowSizeBytes);
    this.position += result.validBytes;
    this.nextOffset += result.messagesCount;
    if (result.stop === "corrupt") this.damage = "corrupt";
    else if (result.stop === "incomplete") {
      this.#goOnAtIncomplete(region.messagesPosition + result.validBytes, gotBytes - result.validBytes);
    }
    if (!this.done) this.target = this.#nextTarget();
  }

  /** The slice ends inside a message, or the log does, or the length is garbage. */
  #goOnAtIncomplete(messagePosition: number, sliceBytes: number): void {
    const leftBytes = this.#endPosition - this.position;
    if (leftBytes < messageHeaderBytes) {
      this.damage = "torn";
      return;
    }
    if (sliceBytes < messageHeaderBytes) return;
    const memory = this.#region.memory;
    const view = new DataView(memory.buffer, memory.byteOffset + messagePosition, messageHeaderBytes);
    const messageBytes =
      messageHeaderBytes +
      view.getUint32(MessageLayout.payloadLength, true) +
      view.getUint32(MessageLayout.userHeadersLength, true);
    if (messageBytes > messageBytesMax) this.damage = "corrupt";
    else if (messageBytes > leftBytes) this.damage = "torn";
    else if (messageBytes > this.#region.messagesSizeBytes) this.#region = makeLargeRegion(messageBytes);
  }

  #nextTarget(): Uint8Array {
    const region = this.#region;
    const sizeBytes = Math.min(region.messagesSizeBytes, this.#endPosition - this.position);
    return region.memory.subarray(region.messagesPosition, region.messagesPosition + sizeBytes);
  }
}

/** Memory of its own for a message that the scan memory cannot hold; the rest of the walk stays in it. */
function makeLargeRegion(messageBytes: number): ScanRegion {
  const rowsMax = Math.ceil(messageBytes / messageHeaderBytes);
  const memory = new Uint8Array(messageBytes + rowsMax * rowSizeBytes);
  return {
    kernel: new JsBatchKernel(memory, new Uint8Array(seedBytes).fill(1)), // a scan makes no ids
    memory,
    messagesPosition: 0,
    messagesSizeBytes: messageBytes,
    rowsPosition: messageBytes,
    rowsMax,
  };
}
