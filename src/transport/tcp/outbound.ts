// What a connection still has to send, in order: bytes, and parts of files. A part is read into one buffer of the shard and
// sent from there at once: a copy inside the processor's cache, which costs less than sendfile does page by page. Nothing is
// kept: a slow reader costs the memory of its queue's descriptions, and what its socket did not take is read again, so that no
// more is read than the socket has room for.

import { readSync } from "node:fs";
import type { Socket } from "bun";
import { descriptorOf, MessageFlag, native } from "../../platform/ffi.ts";
import type { MadePart, Output, OutputPart } from "../output.ts";

/** `position` and `sizeBytes`: of what is left. */
type FileItem = { readonly kind: "file"; readonly fd: number; position: number; sizeBytes: number };
type MadeItem = { readonly kind: "made"; readonly part: MadePart; position: number; sizeBytes: number };

type Item =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | FileItem
  | MadeItem
  | { readonly kind: "done"; readonly call: () => void };

/** Read and sent at a time: a batch of 1,000 messages of 1 KB, as one piece. In smaller ones the client wakes up too often. */
const chunkBytes = 1280 * 1024;
/** The same through the runtime's writes, which keep what the socket does not take: with TLS. */
const runtimeChunkBytes = 64 * 1024;
/** Written through the runtime when the socket is full, or may be, so that the runtime waits for room. */
const probeBytes = 4 * 1024;
/** Read and sent at a time at least, however little room a socket had. */
const roomBytesMin = 16 * 1024;

/** Only used inside one call: every writer copies. */
const chunk = new Uint8Array(chunkBytes);

export class Outbound implements Output {
  readonly #socket: Socket<unknown>;
  /** -1: the runtime's own writes only. */
  readonly #fd: number;
  readonly #queue: Item[] = [];
  #isWaiting = false;
  /**
   * What the socket took at once when it was last filled: more of a file would be read in vain. A unix socket takes some 200 KB,
   * and a reply of a megabyte was read five times over.
   */
  #roomBytes = chunkBytes;
  /** As much as fitted last time is on its way: whether more does is asked with few bytes. */
  #mayBeFull = false;

  /** `isPlain`: no TLS in between, so that system calls on the descriptor are allowed. */
  constructor(socket: Socket<unknown>, isPlain: boolean) {
    this.#socket = socket;
    this.#fd = isPlain && native !== undefined ? descriptorOf(socket) : -1;
  }

  /** Whether everything has been handed to the operating system. */
  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Sends, or keeps a copy of what the socket did not take. The caller may reuse `bytes` afterwards. */
  write(bytes: Uint8Array): void {
    let taken = 0;
    if (this.#queue.length === 0) {
      taken = this.#writeNow(bytes);
      if (taken === bytes.byteLength) return;
    }
    this.#queue.push({ kind: "bytes", bytes: bytes.slice(taken) });
  }

  /**
   * Sends `head`, then the parts; `done` is called when they are no longer needed. The head waits in the kernel for what follows,
   * which is more than one packet less: a megabyte that finds a head waiting took 117 µs over loopback, and 247 µs together with
   * its head in one call (Linux 6.18, both reading alike).
   */
  writeParts(head: Uint8Array, parts: readonly OutputPart[], done: () => void): void {
    if (head.byteLength > 0 && this.#queue.length === 0 && this.#fd >= 0 && parts.length > 0) {
      const sent = native!.send(
        this.#fd,
        head,
        head.byteLength,
        MessageFlag.more | MessageFlag.dontWait | MessageFlag.noSignal,
      );
      if (sent < head.byteLength) this.#queue.push({ kind: "bytes", bytes: head.slice(Math.max(sent, 0)) });
    } else {
      this.write(head);
    }
    for (const part of parts) this.#queue.push(itemOf(part));
    this.#queue.push({ kind: "done", call: done });
    this.flush();
  }

  /** Goes on after the socket took nothing more; true when all is sent. */
  drain(): boolean {
    this.#isWaiting = false;
    this.flush();
    return this.#queue.length === 0;
  }

  /** Gives everything up. */
  close(): void {
    for (const item of this.#queue.splice(0)) if (item.kind === "done") item.call();
  }

  flush(): void {
    while (!this.#isWaiting) {
      const item = this.#queue[0];
      if (item === undefined) {
        this.#mayBeFull = false; // by the next reply some may have been taken
        return;
      }
      if (item.kind === "done") {
        this.#queue.shift();
        item.call();
        continue;
      }
      if (item.kind === "bytes") {
        const taken = this.#writeNow(item.bytes);
        if (taken === item.bytes.byteLength) this.#queue.shift();
        else this.#queue[0] = { kind: "bytes", bytes: item.bytes.subarray(taken) };
        continue;
      }
      this.#sendPiece(item);
      if (item.sizeBytes === 0) this.#queue.shift();
    }
  }

  #sendPiece(item: FileItem | MadeItem): void {
    const taken = this.#fd < 0 || this.#mayBeFull ? this.#sendThroughRuntime(item) : this.#sendDirectly(item);
    item.position += taken;
    item.sizeBytes -= taken;
  }

  #sendDirectly(item: FileItem | MadeItem): number {
    const bytes = pieceOf(item, this.#roomBytes);
    const taken = native!.send(this.#fd, bytes, bytes.byteLength, MessageFlag.dontWait | MessageFlag.noSignal);
    if (taken === bytes.byteLength) {
      this.#mayBeFull = this.#roomBytes < chunkBytes;
      return taken;
    }
    if (taken > 0) this.#roomBytes = Math.max(taken, roomBytesMin);
    const sent = Math.max(taken, 0);
    return sent + this.#writeNow(bytes.subarray(sent, sent + probeBytes));
  }

  /** What does not go directly, or is to find out whether there is room. */
  #sendThroughRuntime(item: FileItem | MadeItem): number {
    const bytes = pieceOf(item, this.#mayBeFull ? probeBytes : runtimeChunkBytes);
    const taken = this.#writeNow(bytes);
    if (this.#mayBeFull && taken === bytes.byteLength) this.#roomBytes = Math.min(2 * this.#roomBytes, chunkBytes);
    this.#mayBeFull = false;
    return taken;
  }

  #writeNow(bytes: Uint8Array): number {
    if (bytes.byteLength === 0) return 0;
    const taken = Math.max(this.#socket.write(bytes), 0);
    if (taken < bytes.byteLength) this.#isWaiting = true;
    return taken;
  }
}

function itemOf(part: OutputPart): Item {
  if (part.kind === "bytes") return part;
  if (part.kind === "file") return { ...part };
  return { kind: "made", part, position: 0, sizeBytes: part.sizeBytes };
}

/** The next bytes of an item, at most `bytesMax`; valid until the next call. */
function pieceOf(item: FileItem | MadeItem, bytesMax: number): Uint8Array {
  const sizeBytes = Math.min(item.sizeBytes, bytesMax);
  return item.kind === "file" ? readPiece(item, sizeBytes) : madePiece(item, sizeBytes);
}

function readPiece({ fd, position }: FileItem, bytesMax: number): Uint8Array {
  const count = readSync(fd, chunk, 0, bytesMax, position);
  if (count === 0) throw new Error(`a file that is being sent ends before position ${position}`);
  return chunk.subarray(0, count);
}

function madePiece({ part, position }: MadeItem, bytesMax: number): Uint8Array {
  const bytes = part.bytesFrom(position);
  return bytes.byteLength > bytesMax ? bytes.subarray(0, bytesMax) : bytes;
}
