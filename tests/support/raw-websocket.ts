// A WebSocket client that does what the runtime's does not: frames as it likes, headers of a browser, a reader that does not
// read. The handshake and the frames are RFC 6455 by hand.
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface RawWebSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM; undefined: no TLS. */
  readonly ca?: string;
}

export interface ReceivedFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** The server answered the handshake with something other than 101. */
export class HandshakeRefusedError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the handshake was answered with ${status}`);
    this.status = status;
  }
}

const mask = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** One frame as a client sends it. */
export function encodeFrame(
  opcode: number,
  payload: Uint8Array,
  options: { readonly isFinal?: boolean; readonly isMasked?: boolean } = {},
): Uint8Array {
  const { isFinal = true, isMasked = true } = options;
  const size = payload.length;
  const sizeBytes = size < 126 ? 0 : size < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + sizeBytes + (isMasked ? mask.length : 0));
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (sizeBytes === 0 ? size : sizeBytes === 2 ? 126 : 127);
  if (sizeBytes === 2) head.writeUInt16BE(size, 2);
  if (sizeBytes === 8) head.writeBigUInt64BE(BigInt(size), 2);
  if (!isMasked) return Buffer.concat([head, payload]);
  head.set(mask, 2 + sizeBytes);
  const frame = Buffer.allocUnsafe(head.length + size);
  frame.set(head);
  // A plain loop: some tests send tens of megabytes, on a machine that is busy.
  for (let index = 0; index < size; index++) frame[head.length + index] = payload[index]! ^ mask[index & 3]!;
  return frame;
}

export class RawWebSocket {
  readonly #socket: Socket;
  readonly #ended = Promise.withResolvers<void>();
  #unread: Buffer = Buffer.alloc(0);
  #onFrame: ((frame: ReceivedFrame) => void) | undefined;
  readonly #waiting: ReceivedFrame[] = [];
  hasEnded = false;
  /** Of the server's Close frame; 1005 for one without a code, undefined for none. */
  closeCode: number | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Resolves when the server has accepted; HandshakeRefusedError if it does not. */
  static async connect(options: RawWebSocketOptions): Promise<RawWebSocket> {
    const { host, port, path = "/", headers = {}, ca } = options;
    const socket = ca === undefined ? connectTcp({ host, port, noDelay: true }) : connectTls({ host, port, ca });
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the server ended the connection during the handshake")));
    socket.once(ca === undefined ? "connect" : "secureConnect", () => {
      const lines = Object.entries({
        Host: `${host}:${port}`,
        Upgrade: "websocket",
        Connection: "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        ...headers,
      }).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    });
    let received = Buffer.alloc(0);
    const onData = (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.includes("\r\n\r\n")) resolve(received);
    };
    socket.on("data", onData);
    const head = await promise;
    socket.off("data", onData);
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head.toString("latin1"))?.[1]);
    if (status !== 101) {
      socket.destroy();
      throw new HandshakeRefusedError(status);
    }
    const client = new RawWebSocket(socket);
    const end = () => {
      client.hasEnded = true;
      client.#ended.resolve();
    };
    for (const event of ["end", "close", "error"]) socket.on(event, end);
    socket.on("data", (bytes: Buffer) => client.#take(bytes));
    client.#take(head.subarray(head.indexOf("\r\n\r\n") + 4));
    return client;
  }

  /** This end's `ip:port`. */
  get address(): string {
    return `${this.#socket.localAddress}:${this.#socket.localPort}`;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Bytes that the system has not taken. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Every frame from now on, and those that came before. */
  set onFrame(onFrame: (frame: ReceivedFrame) => void) {
    this.#onFrame = onFrame;
    for (const frame of this.#waiting.splice(0)) onFrame(frame);
  }

  /** One message of one frame. */
  sendBinary(payload: Uint8Array): void {
    this.write(encodeFrame(Opcode.binary, payload));
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    for (;;) {
      const frame = this.#nextFrame();
      if (frame === undefined) return;
      if (frame.opcode === Opcode.close) {
        this.closeCode = frame.payload.length < 2 ? 1005 : Buffer.from(frame.payload).readUInt16BE(0);
      }
      if (this.#onFrame === undefined) this.#waiting.push(frame);
      else this.#onFrame(frame);
    }
  }

  /** The server's frames have no mask, and are never fragments. */
  #nextFrame(): ReceivedFrame | undefined {
    const unread = this.#unread;
    if (unread.length < 2) return undefined;
    const short = unread[1]!;
    const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (unread.length < headBytes) return undefined;
    const size =
      short === 126 ? unread.readUInt16BE(2) : short === 127 ? Number(unread.readBigUInt64BE(2)) : short & 0x7f;
    if (unread.length < headBytes + size) return undefined;
    this.#unread = unread.subarray(headBytes + size);
    return { opcode: unread[0]! & 0x0f, payload: unread.subarray(headBytes, headBytes + size) };
  }
}
