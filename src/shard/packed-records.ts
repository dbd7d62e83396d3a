// The messages of a read as records of 0.9 (spec P9 8.4, 8.5). They are made in pieces of whole messages, each when somebody wants
// its bytes, and again when they are wanted again: one buffer of the shard serves every connection, whatever their clients leave
// unread. A piece ends its last record, so the pieces of a reply are the same each time.
import { assert } from "../platform/assert.ts";
import { MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import { batchHeaderBytes, messageFrameBytes } from "../protocol/v09/batch-layout.ts";
import { JsBatchKernel, kernelReservedBytes, type PackResult, WasmBatchKernel } from "../storage/index.ts";
import { ReplyReader } from "./reply-reader.ts";
import type { ShardRead } from "./shard-read.ts";

/** Most bytes of stored messages in a piece, unless one message has more: a batch of 1,000 messages of 1 KB is one piece. */
const sourceBytesMax = 1280 * 1024;
/** Most that records take: empty messages, each with a time of its own, so that each is a record. */
const recordsBytesMax = Math.ceil((sourceBytesMax * (batchHeaderBytes + messageFrameBytes)) / messageHeaderBytes);
/** Kept free before a piece, for the head of a small reply. */
const headBytesMax = 512;
const wasmPageBytes = 64 * 1024;
/** Of a record with one message, before its payload. */
const singleHeadBytes = batchHeaderBytes + messageFrameBytes;

const recordsPosition = kernelReservedBytes + headBytesMax;
/**
 * The messages are read behind the place of their records and packed in place: the same memory again and again, which the processor
 * has in its cache. This much further behind, for the first records of a message or two, which are longer than it.
 */
const aheadBytes = 16 * 1024;
const sourcePosition = recordsPosition + aheadBytes;
/** With the headers of a record that is about to be written. */
const areaEnd = recordsPosition + recordsBytesMax + singleHeadBytes;

interface Piece {
  /** Of its bytes among all records. */
  readonly start: number;
  readonly sizeBytes: number;
  /** Of its messages in the read. */
  readonly sourceStart: number;
  readonly sourceBytes: number;
  /** Of a message that is larger than a piece: what comes before its payload, which is sent as it is stored. */
  readonly singleHead: Uint8Array | undefined;
}

/** What the shard packs in, and what lies there now. */
interface RecordBuffer {
  readonly kernel: WasmBatchKernel;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  made: Piece | undefined;
}

/** Kernels that pack give no ids. */
const kernelSeed = new Uint8Array(32).fill(1);

let shared: RecordBuffer | undefined;

/** Made with the first poll of 0.9: most of it stays untouched, and takes no memory. */
function recordBuffer(): RecordBuffer {
  if (shared !== undefined) return shared;
  const pages = Math.ceil(areaEnd / wasmPageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const kernel = WasmBatchKernel.create(memory, kernelSeed);
  const bytes = new Uint8Array(memory.buffer);
  shared = { kernel, bytes, view: new DataView(memory.buffer), made: undefined };
  return shared;
}

export class PackedRecords {
  readonly kind = "made";
  readonly sizeBytes: number;
  readonly #reader: ReplyReader;
  readonly #partitionId: number;
  readonly #pieces: readonly Piece[];

  /** The read has messages, and is to be released by the caller when the last byte was taken. Throws where its files cannot be read. */
  constructor(read: Omit<ShardRead, "release">, partitionId: number) {
    this.#reader = new ReplyReader(read.parts);
    this.#partitionId = partitionId;
    this.#pieces = read.sizeBytes <= sourceBytesMax ? [this.#onlyPiece(read.sizeBytes)] : this.#plan(read.sizeBytes);
    const last = this.#pieces.at(-1)!;
    this.sizeBytes = last.start + last.sizeBytes;
  }

  /** A view of some bytes from `position` on, one at least; valid until the next call for any records. */
  bytesFrom(position: number): Uint8Array {
    const piece = this.#pieceAt(position);
    const skipBytes = position - piece.start;
    if (piece.singleHead !== undefined) return this.#bytesOfSingle(piece, piece.singleHead, skipBytes);
    const buffer = recordBuffer();
    if (buffer.made !== piece) this.#make(buffer, piece);
    return buffer.bytes.subarray(recordsPosition + skipBytes, recordsPosition + piece.sizeBytes);
  }

  /** `head` (512 bytes at most) and all records, which are one piece, as one view; valid until the next call for any records. */
  bytesBehind(head: Uint8Array): Uint8Array {
    const headBytes = head.byteLength;
    assert(headBytes <= headBytesMax, "a head has its place before the records");
    const recordsBytes = this.bytesFrom(0).byteLength;
    assert(recordsBytes === this.sizeBytes, "a small reply is one piece");
    const { bytes } = recordBuffer();
    bytes.set(head, recordsPosition - headBytes);
    return bytes.subarray(recordsPosition - headBytes, recordsPosition + recordsBytes);
  }

  #pieceAt(position: number): Piece {
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pieces[middle]!.start <= position) low = middle;
      else high = middle - 1;
    }
    return this.#pieces[low]!;
  }

  /** Made at once, and not measured before: most replies are small. */
  #onlyPiece(sourceBytes: number): Piece {
    const buffer = recordBuffer();
    const sizeBytes = this.#pack(buffer, 0, sourceBytes);
    const piece = { start: 0, sizeBytes, sourceStart: 0, sourceBytes, singleHead: undefined };
    buffer.made = piece;
    return piece;
  }

  #make(buffer: RecordBuffer, piece: Piece): void {
    const sizeBytes = this.#pack(buffer, piece.sourceStart, piece.sourceBytes);
    assert(sizeBytes === piece.sizeBytes, "a piece has the size that was announced");
    buffer.made = piece;
  }

  #pack(buffer: RecordBuffer, sourceStart: number, sourceBytes: number): number {
    buffer.made = undefined;
    this.#read(buffer, sourceStart, sourceBytes);
    const first = this.#packFrom(buffer, sourcePosition, sourceBytes, 0);
    const restBytes = sourceBytes - first.usedBytes;
    if (restBytes === 0) return first.writtenBytes;
    // Many small records have come up with the messages: the rest goes where no record can.
    const restPosition = sourcePosition + first.usedBytes;
    buffer.bytes.copyWithin(areaEnd - restBytes, restPosition, restPosition + restBytes);
    const rest = this.#packFrom(buffer, areaEnd - restBytes, restBytes, first.writtenBytes);
    assert(rest.usedBytes === restBytes, "a read holds whole messages");
    return first.writtenBytes + rest.writtenBytes;
  }

  #packFrom({ kernel }: RecordBuffer, position: number, sizeBytes: number, writtenBytes: number): PackResult {
    const bytesMax = recordsBytesMax - writtenBytes;
    return kernel.packRecords(position, sizeBytes, recordsPosition + writtenBytes, bytesMax, this.#partitionId);
  }

  #read(buffer: RecordBuffer, sourceStart: number, sourceBytes: number): void {
    const source = buffer.bytes.subarray(sourcePosition, sourcePosition + sourceBytes);
    if (this.#reader.readAt(sourceStart, source) !== sourceBytes) throw new Error("a reply ends inside a message");
  }

  /** The pieces of a large read: their sizes have to be known before the first byte is sent. */
  #plan(sizeBytes: number): Piece[] {
    const pieces: Piece[] = [];
    let start = 0;
    for (let sourceStart = 0; sourceStart < sizeBytes; ) {
      const piece = this.#nextPiece(start, sourceStart, Math.min(sourceBytesMax, sizeBytes - sourceStart));
      pieces.push(piece);
      start += piece.sizeBytes;
      sourceStart += piece.sourceBytes;
    }
    return pieces;
  }

  #nextPiece(start: number, sourceStart: number, bytesMax: number): Piece {
    const buffer = recordBuffer();
    buffer.made = undefined;
    this.#read(buffer, sourceStart, bytesMax);
    const sourceBytes = wholeMessagesBytes(buffer.view, bytesMax);
    if (sourceBytes === 0) return this.#singlePiece(start, sourceStart, messageBytesAt(buffer.view, sourcePosition));
    const sizeBytes = buffer.kernel.measureRecords(sourcePosition, sourceBytes);
    return { start, sizeBytes, sourceStart, sourceBytes, singleHead: undefined };
  }

  #singlePiece(start: number, sourceStart: number, sourceBytes: number): Piece {
    const sizeBytes = sourceBytes - messageHeaderBytes + singleHeadBytes;
    const memory = new Uint8Array(sourceBytes + sizeBytes);
    if (this.#reader.readAt(sourceStart, memory.subarray(0, sourceBytes)) !== sourceBytes) {
      throw new Error("a reply ends inside a message");
    }
    const kernel = new JsBatchKernel(memory, kernelSeed);
    const packed = kernel.packRecords(0, sourceBytes, sourceBytes, sizeBytes, this.#partitionId);
    assert(packed.writtenBytes === sizeBytes, "a message is one record");
    const singleHead = memory.slice(sourceBytes, sourceBytes + singleHeadBytes);
    // Now, and not when garbage is collected: it is twice the message, for each client that asks for it.
    memory.buffer.transfer(0);
    return { start, sizeBytes, sourceStart, sourceBytes, singleHead };
  }

  #bytesOfSingle(piece: Piece, singleHead: Uint8Array, skipBytes: number): Uint8Array {
    if (skipBytes < singleHeadBytes) return singleHead.subarray(skipBytes);
    const buffer = recordBuffer();
    buffer.made = undefined;
    const skippedBytes = messageHeaderBytes + skipBytes - singleHeadBytes;
    const count = Math.min(sourceBytesMax, piece.sourceBytes - skippedBytes);
    this.#read(buffer, piece.sourceStart + skippedBytes, count);
    return buffer.bytes.subarray(sourcePosition, sourcePosition + count);
  }
}

/** Size of the whole messages among the first `bytesMax` bytes of the source. */
function wholeMessagesBytes(view: DataView, bytesMax: number): number {
  let position = 0;
  while (position + messageHeaderBytes <= bytesMax) {
    const end = position + messageBytesAt(view, sourcePosition + position);
    if (end > bytesMax) break;
    position = end;
  }
  return position;
}

function messageBytesAt(view: DataView, position: number): number {
  const userHeadersBytes = view.getUint32(position + MessageLayout.userHeadersLength, true);
  return messageHeaderBytes + userHeadersBytes + view.getUint32(position + MessageLayout.payloadLength, true);
}
