// Cuts the byte stream of a connection into replies (spec BP 2.2). A payload that spans chunks is copied once, into a
// buffer of its final size; what arrives whole is copied out of the chunk, so that a reply of a few bytes does not keep
// a chunk of half a megabyte alive.

import { IggyError } from "../../protocol/errors.ts";
import { decodeReplyHead, frameHeaderBytes } from "../../protocol/frame.ts";
import { replyPayloadBytesMax } from "../limits.ts";

/** Called for each reply in order. `payload` belongs to the receiver; an error reply normally has none. */
export type ReplyListener = (status: number, payload: Uint8Array) => void;

const noBytes = new Uint8Array(0);

export class ReplyAssembler {
  readonly #onReply: ReplyListener;
  readonly #payloadBytesMax: number;
  readonly #head = new Uint8Array(frameHeaderBytes);
  #headBytes = 0;
  #status = 0;
  #payload: Uint8Array | undefined;
  #payloadBytes = 0;

  constructor(onReply: ReplyListener, payloadBytesMax = replyPayloadBytesMax) {
    this.#onReply = onReply;
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** Takes the next bytes; they may be reused afterwards. InvalidFormat (4) for a payload above the limit. */
  push(chunk: Uint8Array): void {
    let position = 0;
    while (position < chunk.length) {
      position = this.#payload === undefined ? this.#takeHead(chunk, position) : this.#takePayload(chunk, position);
    }
  }

  #takeHead(chunk: Uint8Array, position: number): number {
    const taken = Math.min(frameHeaderBytes - this.#headBytes, chunk.length - position);
    this.#head.set(chunk.subarray(position, position + taken), this.#headBytes);
    this.#headBytes += taken;
    if (this.#headBytes < frameHeaderBytes) return position + taken;

    const { status, payloadBytes } = decodeReplyHead(this.#head);
    if (payloadBytes > this.#payloadBytesMax) throw new IggyError("InvalidFormat");
    this.#headBytes = 0;
    this.#status = status;
    if (payloadBytes === 0) {
      this.#onReply(status, noBytes);
    } else {
      this.#payload = allocate(payloadBytes);
      this.#payloadBytes = 0;
    }
    return position + taken;
  }

  #takePayload(chunk: Uint8Array, position: number): number {
    const payload = this.#payload;
    if (payload === undefined) return position;
    const taken = Math.min(payload.length - this.#payloadBytes, chunk.length - position);
    payload.set(chunk.subarray(position, position + taken), this.#payloadBytes);
    this.#payloadBytes += taken;
    if (this.#payloadBytes === payload.length) {
      this.#payload = undefined;
      this.#onReply(this.#status, payload);
    }
    return position + taken;
  }
}

/** Of Node and Bun; pages have none. */
type Buffers = { readonly Buffer?: { allocUnsafeSlow(sizeBytes: number): Uint8Array } };

/** Not cleared where the runtime can do without: every byte is overwritten before the payload is handed out. */
function allocate(sizeBytes: number): Uint8Array {
  const buffers = (globalThis as Buffers).Buffer;
  if (buffers === undefined) return new Uint8Array(sizeBytes);
  const buffer = buffers.allocUnsafeSlow(sizeBytes);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, sizeBytes);
}
