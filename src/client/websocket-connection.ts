// One WebSocket connection: requests go out as binary messages, and what comes in is one stream of replies (spec BP 2.5). It
// needs nothing but the WebSocket of the web's platform, so it works in a browser. It knows nothing of logins and never
// reconnects: that is the client's work (iggy-client.ts).

import type { FrameKind } from "../protocol/frame.ts";
import type { ClientTlsOptions, Connection } from "./connection.ts";
import { ConnectionLostError } from "./connection-lost-error.ts";
import { webSocketMessageBytesMax } from "./limits.ts";
import { openInTime } from "./opening.ts";
import { PendingRequests } from "./pending-requests.ts";
import { requestFramePieces } from "./request-frame.ts";
import { withResolvers } from "./with-resolvers.ts";

export type WebSocketConnectionOptions = {
  /** `ws://host:port` or `wss://host:port`; any path. */
  readonly url: string;
  /** How requests are framed (spec BP 7); `sdk` if not given. */
  readonly frames?: FrameKind;
  /** Time to establish the connection; 10 seconds if not given. */
  readonly connectTimeoutMs?: number;
  /** For `wss:`, outside of browsers: they have their own rules. */
  readonly tls?: ClientTlsOptions;
};

const normalClosure = 1000;

/** A runtime's WebSocket that takes TLS options as its second argument. */
type WebSocketWithTls = new (url: string, options: { readonly tls: object }) => WebSocket;

function makeSocket({ url, tls }: WebSocketConnectionOptions): WebSocket {
  if (tls === undefined) return new WebSocket(url);
  const { ca, serverName, verify } = tls;
  const options = {
    rejectUnauthorized: verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  return new (WebSocket as WebSocketWithTls)(url, { tls: options });
}

export class WebSocketConnection implements Connection {
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #frames: FrameKind;
  readonly #pending = new PendingRequests({ sentBytes: () => this.#sentBytes, onEnd: (cause) => this.#end(cause) });
  readonly #markClosed: () => void;
  #sentBytes = 0;
  #isClosed = false;
  #closeCause: unknown;

  private constructor(socket: WebSocket, frames: FrameKind) {
    this.#socket = socket;
    this.#frames = frames;
    const { promise, resolve } = withResolvers<void>();
    this.closed = promise;
    this.#markClosed = resolve;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (!this.#isClosed && data instanceof ArrayBuffer) this.#pending.receive(new Uint8Array(data));
    };
    socket.onclose = () => this.#end(undefined);
  }

  /** Connects; CannotEstablishConnection (9) with the reason as `cause` if that fails or takes too long. */
  static async connect(options: WebSocketConnectionOptions): Promise<WebSocketConnection> {
    const socket = makeSocket(options);
    const connection = new WebSocketConnection(socket, options.frames ?? "sdk");
    try {
      await openInTime(options.connectTimeoutMs, (opened, failed) => {
        socket.onopen = () => opened();
        socket.onerror = failed;
        connection.closed.then(() => failed(new Error("the server ended the connection")));
      });
    } catch (error) {
      connection.#end(error);
      throw error;
    }
    return connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get inFlightCount(): number {
    return this.#pending.count;
  }

  get receivedBytes(): number {
    return this.#pending.receivedBytes;
  }

  async request(code: number, payload: Uint8Array | readonly Uint8Array[]): Promise<Uint8Array> {
    const parts = payload instanceof Uint8Array ? [payload] : payload;
    return this.#send(requestFramePieces(code, parts, this.#frames));
  }

  requestFrame(frame: Uint8Array): Promise<Uint8Array> {
    return this.#send([frame]);
  }

  close(): void {
    this.#end(undefined);
  }

  /** One message for a request, as other clients send them, unless it is too large for one. */
  #send(pieces: readonly Uint8Array[]): Promise<Uint8Array> {
    if (this.#isClosed || this.#socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new ConnectionLostError(false, { cause: this.#closeCause }));
    }
    const reply = this.#pending.add(this.#sentBytes);
    for (const message of messagesOf(pieces)) {
      this.#socket.send(message);
      this.#sentBytes += message.byteLength;
    }
    return reply;
  }

  #end(cause: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeCause = cause;
    this.#socket.close(normalClosure);
    this.#pending.rejectAll(cause);
    this.#markClosed();
  }
}

/** The pieces joined into messages of at most 8 MiB. */
function* messagesOf(pieces: readonly Uint8Array[]): Generator<Uint8Array<ArrayBuffer>> {
  let restBytes = 0;
  for (const piece of pieces) restBytes += piece.byteLength;
  const first = pieces[0];
  if (pieces.length === 1 && first !== undefined && restBytes <= webSocketMessageBytesMax) {
    yield first as Uint8Array<ArrayBuffer>;
    return;
  }
  let message = new Uint8Array(Math.min(restBytes, webSocketMessageBytesMax));
  let filledBytes = 0;
  for (const piece of pieces) {
    for (let position = 0; position < piece.byteLength; ) {
      const count = Math.min(piece.byteLength - position, message.byteLength - filledBytes);
      message.set(piece.subarray(position, position + count), filledBytes);
      position += count;
      filledBytes += count;
      if (filledBytes < message.byteLength) continue;
      yield message;
      restBytes -= filledBytes;
      message = new Uint8Array(Math.min(restBytes, webSocketMessageBytesMax));
      filledBytes = 0;
    }
  }
}
