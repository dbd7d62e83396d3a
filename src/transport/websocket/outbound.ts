// What a WebSocket connection still has to send, in order. A reply is one binary message (spec BP 2.5); a large one is several,
// since clients read them as one stream of bytes, and since the runtime keeps a copy of what the socket does not take: the
// next part is read from its file when the one before is gone, so a slow reader costs one part.
import { readSync } from "node:fs";
import type { ServerWebSocket } from "bun";
import type { Output, OutputPart } from "../output.ts";

/** Largest message: a poll of 1,000 messages of 1 KB is still one. */
export const messageBytesMax = 1280 * 1024;

interface PendingReply {
  /** Undefined when it has been sent. */
  head: Uint8Array | undefined;
  readonly parts: readonly OutputPart[];
  partIndex: number;
  /** Bytes of the part that have been sent. */
  partPosition: number;
  readonly done: () => void;
}

/** Only used inside one call: the runtime sends or copies. */
const messageBuffer = new Uint8Array(messageBytesMax);

export class WebSocketOutbound implements Output {
  readonly #socket: ServerWebSocket<unknown>;
  readonly #onDropped: () => void;
  readonly #queue: (Uint8Array | PendingReply)[] = [];
  /** The runtime holds bytes that the socket did not take. */
  #isWaiting = false;
  #isClosed = false;

  /** `onDropped`: the runtime has thrown a message away, so that the stream has a gap and the connection must end. */
  constructor(socket: ServerWebSocket<unknown>, onDropped: () => void) {
    this.#socket = socket;
    this.#onDropped = onDropped;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && !this.#isWaiting;
  }

  write(bytes: Uint8Array): void {
    if (this.isEmpty && bytes.byteLength <= messageBytesMax) {
      this.#send(bytes);
      return;
    }
    this.#queue.push(bytes.slice());
    this.#flush();
  }

  writeParts(head: Uint8Array, parts: readonly OutputPart[], done: () => void): void {
    this.#queue.push({ head: head.slice(), parts, partIndex: 0, partPosition: 0, done });
    this.#flush();
  }

  /** Goes on after the socket took nothing more; true when all is sent. */
  drain(): boolean {
    this.#isWaiting = this.#socket.getBufferedAmount() > 0;
    this.#flush();
    return this.isEmpty;
  }

  close(): void {
    this.#isClosed = true;
    for (const item of this.#queue.splice(0)) if (!(item instanceof Uint8Array)) item.done();
  }

  #flush(): void {
    while (!this.#isWaiting && !this.#isClosed) {
      const item = this.#queue[0];
      if (item === undefined) return;
      if (item instanceof Uint8Array) {
        const rest = item.subarray(messageBytesMax);
        if (rest.byteLength > 0) this.#queue[0] = rest;
        else this.#queue.shift();
        this.#send(rest.byteLength > 0 ? item.subarray(0, messageBytesMax) : item);
        continue;
      }
      const messageBytes = fillMessage(item);
      const isDone = item.partIndex === item.parts.length;
      if (isDone) {
        this.#queue.shift();
        item.done();
      }
      if (messageBytes > 0) this.#send(messageBuffer.subarray(0, messageBytes));
    }
  }

  #send(bytes: Uint8Array): void {
    const status = this.#socket.sendBinary(bytes as Uint8Array<ArrayBuffer>);
    if (status === 0) this.#onDropped();
    else if (status < 0) this.#isWaiting = true;
  }
}

/** Copies the next bytes of a reply into the message buffer, and returns how many. */
function fillMessage(reply: PendingReply): number {
  let position = 0;
  if (reply.head !== undefined) {
    messageBuffer.set(reply.head);
    position = reply.head.byteLength;
    reply.head = undefined;
  }
  while (position < messageBytesMax) {
    const part = reply.parts[reply.partIndex];
    if (part === undefined) break;
    const sizeBytes = part.kind === "bytes" ? part.bytes.byteLength : part.sizeBytes;
    const count = Math.min(sizeBytes - reply.partPosition, messageBytesMax - position);
    copyPart(part, reply.partPosition, count, position);
    position += count;
    reply.partPosition += count;
    if (reply.partPosition < sizeBytes) break;
    reply.partIndex++;
    reply.partPosition = 0;
  }
  return position;
}

function copyPart(part: OutputPart, start: number, count: number, position: number): void {
  if (part.kind === "bytes") {
    messageBuffer.set(part.bytes.subarray(start, start + count), position);
    return;
  }
  if (part.kind === "made") {
    for (let copied = 0; copied < count; ) {
      const bytes = part.bytesFrom(start + copied);
      const taken = Math.min(bytes.byteLength, count - copied);
      messageBuffer.set(taken < bytes.byteLength ? bytes.subarray(0, taken) : bytes, position + copied);
      copied += taken;
    }
    return;
  }
  for (let copied = 0; copied < count; ) {
    const read = readSync(part.fd, messageBuffer, position + copied, count - copied, part.position + start + copied);
    if (read === 0) throw new Error(`a file that is being sent ends before position ${part.position + start + copied}`);
    copied += read;
  }
}
