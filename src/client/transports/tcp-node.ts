// TCP and TLS by `node:net`, for Node and for Deno.

import { isIP, connect as openTcp, type Socket } from "node:net";
import { connect as openTls, type TLSSocket } from "node:tls";
import type { Transport, TransportAddress } from "../connection/transport.ts";
import type { Connection } from "../connection.ts";
import { ConnectionLostError } from "../connection-lost-error.ts";
import { openInTime } from "../opening.ts";
import { PendingRequests } from "../pending-requests.ts";
import { requestFramePieces } from "../request-frame.ts";
import { SendQueue } from "../send-queue.ts";
import { withResolvers } from "../with-resolvers.ts";

function openSocket({ host, port, tls }: TransportAddress): Socket | TLSSocket {
  if (tls === undefined) return openTcp({ host, port, noDelay: true });
  const name = tls.serverName ?? host;
  return openTls({
    host,
    port,
    rejectUnauthorized: tls.verify ?? true,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    // The name that is asked for cannot be an address; the certificate is checked against it all the same.
    ...(isIP(name) === 0 ? { servername: name } : {}),
  }).setNoDelay(true);
}

class NodeTcpConnection implements Connection {
  readonly #socket: Socket;
  readonly #outgoing = new SendQueue();
  readonly #pending = new PendingRequests({
    sentBytes: () => this.#outgoing.takenBytes,
    onEnd: (cause) => this.#end(cause),
  });
  readonly #ending = withResolvers<void>();
  #isClosed = false;
  #closeCause: unknown;
  /** True while a flush is scheduled or the socket has to drain first. */
  #flushWaits = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => {
      if (!this.#isClosed) this.#pending.receive(chunk);
    });
    socket.on("drain", () => this.#flush());
    socket.on("error", (error) => this.#end(error));
    socket.on("end", () => this.#end(undefined));
    socket.on("close", () => this.#end(undefined));
  }

  get closed(): Promise<void> {
    return this.#ending.promise;
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
    return this.#send(requestFramePieces(code, parts, "sdk"));
  }

  requestFrame(frame: Uint8Array): Promise<Uint8Array> {
    return this.#send([frame]);
  }

  close(): void {
    this.#end(undefined);
  }

  #send(pieces: readonly Uint8Array[]): Promise<Uint8Array> {
    if (this.#isClosed) return Promise.reject(new ConnectionLostError(false, { cause: this.#closeCause }));
    const reply = this.#pending.add(this.#outgoing.queuedBytes);
    for (const piece of pieces) this.#outgoing.push(piece);
    if (!this.#flushWaits) {
      this.#flushWaits = true;
      // At the end of the turn, so that requests made together leave together.
      queueMicrotask(() => this.#flush());
    }
    return reply;
  }

  #flush(): void {
    if (this.#isClosed) return;
    // Node takes all that it is given, so it is given more only when it wants more.
    this.#flushWaits = !this.#outgoing.flush((bytes) => {
      if (this.#socket.writableNeedDrain) return 0;
      this.#socket.write(bytes);
      return bytes.length;
    });
  }

  #end(cause: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeCause = cause;
    if (cause === undefined) this.#socket.end();
    else this.#socket.destroy();
    this.#pending.rejectAll(cause);
    this.#ending.resolve();
  }
}

export const nodeTcpTransport: Transport = {
  name: "tcp",
  schemes: ["iggy", "iggy+tcp", "iggy+tls"],
  async open(address) {
    const socket = openSocket(address);
    try {
      await openInTime(address.connectTimeoutMs, (opened, failed) => {
        socket.once(address.tls === undefined ? "connect" : "secureConnect", opened);
        socket.once("error", failed);
        socket.once("close", () => failed(new Error("the server ended the connection")));
      });
    } catch (error) {
      socket.on("error", () => undefined); // of an attempt that is given up
      socket.destroy();
      throw error;
    }
    return new NodeTcpConnection(socket);
  },
};
