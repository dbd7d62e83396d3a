// A batch as it will leave: index rows and messages (spec BP 3.7, 3.8) in two buffers that grow. A message costs one copy and no
// object. The server fills in checksum, offset and timestamp.

import { IndexRowLayout, indexRowBytes, MessageLayout, messageHeaderBytes } from "../../protocol/message-layout.ts";
import type { MessageIds } from "./message-ids.ts";

const u32Values = 2 ** 32;
const microsPerMs = 1000;
const rowsCountAtFirst = 16;

/** What a message takes of a batch. */
export function batchedBytesOf(payload: Uint8Array, userHeaders: Uint8Array): number {
  return indexRowBytes + messageHeaderBytes + payload.length + userHeaders.length;
}

export class BatchBuffer {
  #rows = new Uint8Array(rowsCountAtFirst * indexRowBytes);
  #rowsView = new DataView(this.#rows.buffer);
  #messages: Uint8Array<ArrayBuffer>;
  #messagesView: DataView;
  #messagesBytes = 0;
  #count = 0;

  constructor(capacityBytes: number) {
    this.#messages = new Uint8Array(capacityBytes);
    this.#messagesView = new DataView(this.#messages.buffer);
  }

  get messagesCount(): number {
    return this.#count;
  }

  /** Rows and messages. */
  get sizeBytes(): number {
    return this.#count * indexRowBytes + this.#messagesBytes;
  }

  /** Appends a message. An id is the next of a numbering, or a number of 128 bits. */
  append(payload: Uint8Array, userHeaders: Uint8Array, originMs: number, id: MessageIds | bigint): void {
    const start = this.#messagesBytes;
    const end = start + messageHeaderBytes + payload.length + userHeaders.length;
    if (end > this.#messages.length) this.#growMessages(end);
    const bytes = this.#messages;
    const view = this.#messagesView;
    // What the server fills in, and what nobody does: zeros, in a buffer that may have served another batch. Eight bytes at once
    // cost less than a call of `fill`.
    view.setFloat64(start + MessageLayout.checksum, 0);
    view.setFloat64(start + MessageLayout.offset, 0);
    view.setFloat64(start + MessageLayout.timestamp, 0);
    view.setFloat64(start + MessageLayout.reserved, 0);
    if (typeof id !== "bigint") {
      id.write(view, start + MessageLayout.id);
    } else {
      view.setBigUint64(start + MessageLayout.id, BigInt.asUintN(64, id), true);
      view.setBigUint64(start + MessageLayout.id + 8, BigInt.asUintN(64, id >> 64n), true);
    }
    const originMicros = originMs * microsPerMs;
    view.setUint32(start + MessageLayout.originTimestamp, originMicros % u32Values, true);
    view.setUint32(start + MessageLayout.originTimestamp + 4, Math.floor(originMicros / u32Values), true);
    view.setUint32(start + MessageLayout.userHeadersLength, userHeaders.length, true);
    view.setUint32(start + MessageLayout.payloadLength, payload.length, true);
    bytes.set(payload, start + MessageLayout.payload);
    if (userHeaders.length > 0) bytes.set(userHeaders, start + MessageLayout.payload + payload.length);
    this.#messagesBytes = end;
    this.#appendRow(end);
  }

  /** The parts of the request behind its head; views, valid until `clear`. */
  parts(): readonly [rows: Uint8Array, messages: Uint8Array] {
    return [this.#rows.subarray(0, this.#count * indexRowBytes), this.#messages.subarray(0, this.#messagesBytes)];
  }

  /** Empties it for another batch, with the memory that it has. */
  clear(): void {
    this.#count = 0;
    this.#messagesBytes = 0;
  }

  /** Memory that it holds. */
  get capacityBytes(): number {
    return this.#messages.length;
  }

  #appendRow(endPosition: number): void {
    const start = this.#count * indexRowBytes;
    if (start === this.#rows.length) {
      const grown = new Uint8Array(this.#rows.length * 2);
      grown.set(this.#rows);
      this.#rows = grown;
      this.#rowsView = new DataView(grown.buffer);
    }
    // The other fields are zeros, and stay so.
    this.#rowsView.setUint32(start + IndexRowLayout.endPosition, endPosition, true);
    this.#count++;
  }

  #growMessages(neededBytes: number): void {
    const grown = new Uint8Array(Math.max(neededBytes, this.#messages.length * 2));
    grown.set(this.#messages.subarray(0, this.#messagesBytes));
    this.#messages = grown;
    this.#messagesView = new DataView(grown.buffer);
  }
}
