// Memory in which log bytes are checked: for recovery, which is synchronous, and for reads of bytes that nobody checked
// yet, which wait for the disk. Each has its own half, since a partition may open while another one's read waits.

import { assert } from "../platform/assert.ts";
import { messageHeaderBytes } from "../protocol/message-layout.ts";
import type { BatchKernel } from "./kernel/batch-kernel.ts";
import { JsBatchKernel } from "./kernel/js-batch-kernel.ts";
import { seedBytes } from "./kernel/message-id-source.ts";
import { rowSizeBytes } from "./row-block.ts";

/** Part of the kernel's memory: messages, and behind them room for the rows of as many messages as can stand there. */
export interface ScanRegion {
  readonly kernel: BatchKernel;
  readonly memory: Uint8Array;
  readonly messagesPosition: number;
  readonly messagesSizeBytes: number;
  readonly rowsPosition: number;
  readonly rowsMax: number;
}

export interface ScanMemoryOptions {
  readonly kernel: BatchKernel;
  /** The kernel's whole memory. */
  readonly memory: Uint8Array;
  /** The part of it that is used here, and by nobody else. */
  readonly position: number;
  readonly sizeBytes: number;
}

const sizeBytesMin = 4 * 1024;

export class ScanMemory {
  /** For synchronous use only. */
  readonly recoveryRegion: ScanRegion;
  readonly #readRegion: ScanRegion;
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(options: ScanMemoryOptions) {
    assert(options.sizeBytes >= sizeBytesMin, "the scan memory holds at least some messages");
    const half = Math.floor(options.sizeBytes / 2);
    this.recoveryRegion = makeRegion(options, options.position, half);
    this.#readRegion = makeRegion(options, options.position + half, half);
  }

  /** Runs `work` with the region for reads when everyone who came before is done. */
  async takeTurn<T>(work: (region: ScanRegion) => Promise<T>): Promise<T> {
    const before = this.#lastTurn;
    const turn = before.then(() => work(this.#readRegion));
    // The next one waits for the end of this one, whatever it is; the failure is this caller's.
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }
}

function makeRegion(options: ScanMemoryOptions, position: number, sizeBytes: number): ScanRegion {
  const rowsMax = Math.floor(sizeBytes / (messageHeaderBytes + rowSizeBytes));
  const messagesSizeBytes = sizeBytes - rowsMax * rowSizeBytes;
  return {
    kernel: options.kernel,
    memory: options.memory,
    messagesPosition: position,
    messagesSizeBytes,
    rowsPosition: position + messagesSizeBytes,
    rowsMax,
  };
}

/** Memory of its own for a message that the scan memory cannot hold. */
export function makeLargeRegion(messageBytes: number): ScanRegion {
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
