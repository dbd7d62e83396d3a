// Messages of encrypted partitions (spec SB 4.9): payload and user headers are encrypted each for itself, the header stays
// clear. On the disk, lengths and checksum describe the ciphertext; in replies the lengths describe the clear text. User
// headers that a message does not have stay absent.

import { IggyError } from "../protocol/errors.ts";
import { IndexRowLayout, indexRowBytes, MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import { JsBatchKernel } from "./kernel/js-batch-kernel.ts";
import { segmentBytesMax } from "./limits.ts";
import type { EncryptionOptions, IncomingBatch, MessageCipher } from "./types.ts";

/** The validated batch in encrypted form, in memory of its own. Throws `InvalidMessagesSize` (4036) where it grows too large. */
export function encryptBatch(batch: IncomingBatch, encryption: EncryptionOptions): IncomingBatch {
  const { cipher, makeSeed } = encryption;
  const { memory, messagesCount } = batch;
  const source = viewOf(memory);
  const messagesSizeBytes = encryptedSize(batch, source, cipher);
  if (messagesSizeBytes > segmentBytesMax) throw new IggyError("InvalidMessagesSize");
  const messagesPosition = messagesCount * indexRowBytes;
  const bytes = new Uint8Array(messagesPosition + messagesSizeBytes);
  const target = viewOf(bytes);
  let from = batch.messagesPosition;
  let to = messagesPosition;
  for (let index = 0; index < messagesCount; index++) {
    const payloadEnd = from + messageHeaderBytes + source.getUint32(from + MessageLayout.payloadLength, true);
    const end = payloadEnd + source.getUint32(from + MessageLayout.userHeadersLength, true);
    const header = to;
    bytes.set(memory.subarray(from, from + messageHeaderBytes), header);
    const payload = cipher.encrypt(memory.subarray(from + messageHeaderBytes, payloadEnd));
    bytes.set(payload, header + messageHeaderBytes);
    target.setUint32(header + MessageLayout.payloadLength, payload.byteLength, true);
    to = header + messageHeaderBytes + payload.byteLength;
    if (end > payloadEnd) {
      const userHeaders = cipher.encrypt(memory.subarray(payloadEnd, end));
      bytes.set(userHeaders, to);
      target.setUint32(header + MessageLayout.userHeadersLength, userHeaders.byteLength, true);
      to += userHeaders.byteLength;
    }
    target.setUint32(index * indexRowBytes + IndexRowLayout.endPosition, to - messagesPosition, true);
    from = end;
  }
  return {
    kernel: new JsBatchKernel(bytes, makeSeed()),
    memory: bytes,
    rowsPosition: 0,
    messagesCount,
    messagesPosition,
    messagesSizeBytes,
  };
}

function encryptedSize(batch: IncomingBatch, view: DataView, cipher: MessageCipher): number {
  let sizeBytes = batch.messagesSizeBytes + batch.messagesCount * cipher.overheadBytes;
  let position = batch.messagesPosition;
  for (let index = 0; index < batch.messagesCount; index++) {
    const userHeadersLength = view.getUint32(position + MessageLayout.userHeadersLength, true);
    if (userHeadersLength > 0) sizeBytes += cipher.overheadBytes;
    position += messageHeaderBytes + view.getUint32(position + MessageLayout.payloadLength, true) + userHeadersLength;
  }
  return sizeBytes;
}

/** Decrypts whole, valid messages inside their own memory: clear text is shorter, so it never overtakes what is left. */
export class BatchDecryption {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #cipher: MessageCipher;
  #position = 0;
  #clearBytes = 0;
  #messagesCount = 0;
  #skippedCount = 0;

  /** `bytes` belongs to the decryption from now on, as far as `decryptUpTo` was told that it holds messages. */
  constructor(bytes: Uint8Array, cipher: MessageCipher) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#cipher = cipher;
  }

  get messagesCount(): number {
    return this.#messagesCount;
  }

  /** Messages that could not be decrypted. */
  get skippedCount(): number {
    return this.#skippedCount;
  }

  /** The decrypted messages so far. */
  get clear(): Uint8Array {
    return this.#bytes.subarray(0, this.#clearBytes);
  }

  /** Goes on through every message that ends at or before `end`. */
  decryptUpTo(end: number): void {
    while (end - this.#position >= messageHeaderBytes) {
      const payloadStart = this.#position + messageHeaderBytes;
      const payloadEnd = payloadStart + this.#view.getUint32(this.#position + MessageLayout.payloadLength, true);
      const messageEnd = payloadEnd + this.#view.getUint32(this.#position + MessageLayout.userHeadersLength, true);
      if (messageEnd > end) return;
      this.#decryptMessage(payloadStart, payloadEnd, messageEnd);
      this.#position = messageEnd;
    }
  }

  #decryptMessage(payloadStart: number, payloadEnd: number, messageEnd: number): void {
    const bytes = this.#bytes;
    const payload = this.#cipher.decrypt(bytes.subarray(payloadStart, payloadEnd));
    const hasUserHeaders = messageEnd > payloadEnd;
    const userHeaders = hasUserHeaders ? this.#cipher.decrypt(bytes.subarray(payloadEnd, messageEnd)) : undefined;
    if (payload === undefined || (hasUserHeaders && userHeaders === undefined)) {
      this.#skippedCount++;
      return;
    }
    const header = this.#clearBytes;
    bytes.copyWithin(header, this.#position, payloadStart);
    bytes.set(payload, header + messageHeaderBytes);
    this.#view.setUint32(header + MessageLayout.payloadLength, payload.byteLength, true);
    this.#clearBytes = header + messageHeaderBytes + payload.byteLength;
    if (userHeaders !== undefined) {
      bytes.set(userHeaders, this.#clearBytes);
      this.#view.setUint32(header + MessageLayout.userHeadersLength, userHeaders.byteLength, true);
      this.#clearBytes += userHeaders.byteLength;
    }
    this.#messagesCount++;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
