// Finds the payload in one direction of a WebSocket connection (RFC 6455), from its handshake on, in whatever pieces it comes. What
// the frames of one message or of several have between them means nothing: their payload is one stream.

/** A frame of data, or a part of one; the others are pings, pongs and the end. */
const controlBit = 0x08;
const maskBit = 0x80;
const lengthBits = 0x7f;
const maskBytes = 4;
/** Of a frame's head, with the longest length and a mask. */
const headBytesMax = 2 + 8 + maskBytes;
const endOfHandshake = "\r\n\r\n";

export interface WebSocketPiece {
  /** Where it ends. */
  readonly end: number;
  /** Without its mask; undefined for what is no payload. */
  readonly payload: Uint8Array | undefined;
}

export class WebSocketStream {
  #handshakeMatched = 0;
  readonly #head = new Uint8Array(headBytesMax);
  #headFill = 0;
  #restBytes = 0;
  #isData = false;
  #mask: Uint8Array | undefined;
  #maskPosition = 0;

  /** The next piece of `bytes`, one byte at least, from `position` on. */
  next(bytes: Uint8Array, position: number): WebSocketPiece {
    if (this.#handshakeMatched < endOfHandshake.length) return this.#skipHandshake(bytes, position);
    if (this.#restBytes === 0) return this.#takeHead(bytes, position);
    const end = Math.min(bytes.length, position + this.#restBytes);
    this.#restBytes -= end - position;
    return { end, payload: this.#isData ? this.#unmasked(bytes.subarray(position, end)) : undefined };
  }

  #skipHandshake(bytes: Uint8Array, position: number): WebSocketPiece {
    let at = position;
    while (at < bytes.length && this.#handshakeMatched < endOfHandshake.length) {
      const byte = bytes[at++];
      if (byte === endOfHandshake.charCodeAt(this.#handshakeMatched)) this.#handshakeMatched++;
      else this.#handshakeMatched = byte === endOfHandshake.charCodeAt(0) ? 1 : 0;
    }
    return { end: at, payload: undefined };
  }

  #takeHead(bytes: Uint8Array, position: number): WebSocketPiece {
    let at = position;
    while (at < bytes.length && this.#headFill < this.#headBytes) this.#head[this.#headFill++] = bytes[at++] ?? 0;
    if (this.#headFill === this.#headBytes) this.#begin();
    return { end: at, payload: undefined };
  }

  /** As far as is known by now. */
  get #headBytes(): number {
    if (this.#headFill < 2) return 2;
    const second = this.#head[1] ?? 0;
    return 2 + this.#lengthBytes + ((second & maskBit) === 0 ? 0 : maskBytes);
  }

  get #lengthBytes(): number {
    const length = (this.#head[1] ?? 0) & lengthBits;
    return length === 127 ? 8 : length === 126 ? 2 : 0;
  }

  #begin(): void {
    const view = new DataView(this.#head.buffer);
    const lengthBytes = this.#lengthBytes;
    this.#restBytes = (this.#head[1] ?? 0) & lengthBits;
    if (lengthBytes === 2) this.#restBytes = view.getUint16(2);
    if (lengthBytes === 8) this.#restBytes = Number(view.getBigUint64(2));
    this.#isData = ((this.#head[0] ?? 0) & controlBit) === 0;
    const maskPosition = 2 + lengthBytes;
    this.#mask = this.#headBytes > maskPosition ? this.#head.slice(maskPosition, maskPosition + maskBytes) : undefined;
    this.#maskPosition = 0;
    this.#headFill = 0;
  }

  #unmasked(bytes: Uint8Array): Uint8Array {
    const mask = this.#mask;
    if (mask === undefined) return bytes;
    const start = this.#maskPosition;
    this.#maskPosition = (start + bytes.length) % maskBytes;
    return bytes.map((byte, index) => byte ^ (mask[(start + index) % maskBytes] ?? 0));
  }
}
