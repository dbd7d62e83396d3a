// WebSocket as a transport: for pages and workers, and wherever the runtime has it. Requests go out as binary messages, and what
// comes in is one stream of replies (spec BP 2.5).

import type { ClientTlsOptions, Connection } from "../connection/connection.ts";
import { FramedConnection, type Wire } from "../connection/framed-connection.ts";
import { openInTime } from "../connection/opening.ts";
import type { Transport } from "../connection/transport.ts";
import { webSocketMessageBytesMax } from "../limits.ts";

const normalClosure = 1000;

/** A runtime's WebSocket that takes TLS options as its second argument. */
type WebSocketWithTls = new (url: string, options: { readonly tls: object }) => WebSocket;

/** A browser has rules of its own and takes no options, so none are given where they say nothing. */
function makeSocket(url: string, { ca, serverName, verify }: ClientTlsOptions): WebSocket {
  if (ca === undefined && serverName === undefined && verify !== false) return new WebSocket(url);
  const tls = {
    rejectUnauthorized: verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  return new (WebSocket as unknown as WebSocketWithTls)(url, { tls });
}

class WebSocketWire implements Wire {
  readonly #socket: WebSocket;
  #sentBytes = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** What the socket keeps for later counts as sent: nobody can ask it. */
  get queuedBytes(): number {
    return this.#sentBytes;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** One message for a request, as other clients send them, unless it is too large for one. */
  send(pieces: readonly Uint8Array[]): void {
    // A socket that is closing takes nothing: its request is not sent, which the close that comes says.
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    for (const message of messagesOf(pieces)) {
      this.#socket.send(message);
      this.#sentBytes += message.byteLength;
    }
  }

  end(): void {
    this.#socket.close(normalClosure);
  }
}

export const webSocketTransport: Transport = {
  name: "websocket",
  schemes: ["iggy+ws", "iggy+wss", "ws", "wss"],
  open({ host, port, tls, connectTimeoutMs }) {
    if (typeof WebSocket === "undefined") {
      throw new TypeError("this runtime has no WebSocket (Node has it from version 22 on): connect by TCP, with iggy:");
    }
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return openWebSocket(`${tls === undefined ? "ws" : "wss"}://${address}/`, connectTimeoutMs, tls);
  },
};

/** A connection to the socket at the URL; CannotEstablishConnection (9) with the reason as `cause`. */
export async function openWebSocket(
  url: string,
  connectTimeoutMs: number,
  tls: ClientTlsOptions = {},
): Promise<Connection> {
  const socket = makeSocket(url, tls);
  const connection = new FramedConnection(new WebSocketWire(socket));
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer) connection.receive(new Uint8Array(data));
  };
  socket.onclose = () => connection.end(undefined);
  try {
    await openInTime(connectTimeoutMs, (opened, failed) => {
      socket.onopen = () => opened();
      socket.onerror = failed;
      connection.closed.then(() => failed(new Error("the server ended the connection")));
    });
  } catch (error) {
    connection.end(error);
    throw error;
  }
  return connection;
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
