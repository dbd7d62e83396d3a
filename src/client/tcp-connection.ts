// One TCP or TLS connection: request frames out, reply frames in. Any number of requests may be in flight. It knows nothing
// of logins and never reconnects: that is the client's work (iggy-client.ts).

import type { Socket } from "bun";
import type { FrameKind } from "../protocol/frame.ts";
import type { ClientTlsOptions, Connection } from "./connection.ts";
import { ConnectionLostError } from "./connection-lost-error.ts";
import { openInTime } from "./opening.ts";
import { PendingRequests } from "./pending-requests.ts";
import { requestFramePieces } from "./request-frame.ts";
import { SendQueue } from "./send-queue.ts";
import { withResolvers } from "./with-resolvers.ts";

export type TcpConnectionOptions = {
  readonly host: string;
  readonly port: number;
  /** How requests are framed (spec BP 7); `sdk` if not given. */
  readonly frames?: FrameKind;
  /** Time to establish the connection; 10 seconds if not given. */
  readonly connectTimeoutMs?: number;
  /** Undefined: no TLS. */
  readonly tls?: ClientTlsOptions;
};

function bunTlsOptions({ ca, serverName, verify }: ClientTlsOptions) {
  return {
    rejectUnauthorized: verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

export class TcpConnection implements Connection {
  readonly closed: Promise<void>;
  readonly #frames: FrameKind;
  readonly #outgoing = new SendQueue();
  readonly #pending = new PendingRequests({
    sentBytes: () => this.#outgoing.takenBytes,
    onEnd: (cause) => this.#end(cause),
  });
  readonly #markClosed: () => void;
  #socket: Socket<undefined> | undefined;
  #isClosed = false;
  #closeCause: unknown;
  /** True while a flush is scheduled or the socket has to drain first. */
  #flushWaits = false;

  private constructor(frames: FrameKind) {
    this.#frames = frames;
    const { promise, resolve } = withResolvers<void>();
    this.closed = promise;
    this.#markClosed = resolve;
  }

  /** Connects; CannotEstablishConnection (9) with the reason as `cause` if that fails or takes too long. */
  static async connect(options: TcpConnectionOptions): Promise<TcpConnection> {
    const connection = new TcpConnection(options.frames ?? "sdk");
    const { host: hostname, port, tls } = options;
    try {
      await openInTime(options.connectTimeoutMs, (opened, failed) => {
        Bun.connect<undefined>({
          hostname,
          port,
          data: undefined,
          ...(tls === undefined ? {} : { tls: bunTlsOptions(tls) }),
          socket: {
            open: (socket) => {
              connection.#socket = socket;
              if (connection.#isClosed) socket.terminate();
              else if (tls === undefined) opened();
            },
            handshake: (_socket, isTrusted, error) => {
              if (isTrusted) opened();
              else failed(error ?? new Error("the TLS handshake failed"));
            },
            data: (_socket, chunk) => connection.#onData(chunk),
            drain: () => connection.#flush(),
            end: () => connection.#end(undefined),
            close: (_socket, error) => {
              connection.#end(error ?? undefined);
              failed(error ?? new Error("the server ended the connection"));
            },
            error: (_socket, error) => connection.#end(error),
            connectError: (_socket, error) => failed(error),
          },
        }).catch(failed);
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

  #send(frames: readonly Uint8Array[]): Promise<Uint8Array> {
    if (this.#isClosed) return Promise.reject(new ConnectionLostError(false, { cause: this.#closeCause }));
    const reply = this.#pending.add(this.#outgoing.queuedBytes);
    for (const frame of frames) this.#outgoing.push(frame);
    if (!this.#flushWaits) {
      this.#flushWaits = true;
      // At the end of the turn, so that requests made together leave together.
      queueMicrotask(() => this.#flush());
    }
    return reply;
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#isClosed) return;
    this.#flushWaits = !this.#outgoing.flush((bytes) => socket.write(bytes));
  }

  #onData(chunk: Uint8Array): void {
    if (!this.#isClosed) this.#pending.receive(chunk);
  }

  #end(cause: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeCause = cause;
    if (cause === undefined) this.#socket?.end();
    else this.#socket?.terminate();
    this.#pending.rejectAll(cause);
    this.#markClosed();
  }
}
