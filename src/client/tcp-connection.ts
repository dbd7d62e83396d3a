// One TCP connection: request frames out, reply frames in. A reply does not name its request; the server answers in the
// order of the requests (spec BP 2.8), so replies are matched by position. Any number of requests may be in flight.
// It knows nothing of logins and never reconnects: that is the client's work (iggy-client.ts).

import type { Socket } from "bun";
import { errorTable, IggyError } from "../protocol/errors.ts";
import type { FrameKind } from "../protocol/frame.ts";
import { ConnectionLostError } from "./connection-lost-error.ts";
import { Fifo } from "./fifo.ts";
import { connectTimeoutMs } from "./limits.ts";
import { ReplyAssembler } from "./reply-assembler.ts";
import { requestFramePieces } from "./request-frame.ts";
import { SendQueue } from "./send-queue.ts";

export type TcpConnectionOptions = {
  readonly host: string;
  readonly port: number;
  /** How requests are framed (spec BP 7); `sdk` if not given. */
  readonly frames?: FrameKind;
  /** Time to establish the connection; 10 seconds if not given. */
  readonly connectTimeoutMs?: number;
};

type PendingRequest = {
  /** Where the request starts in the stream of sent bytes. */
  readonly startPosition: number;
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: IggyError) => void;
};

function cannotConnect(cause: unknown): IggyError {
  return new IggyError("CannotEstablishConnection", [], { cause });
}

export class TcpConnection {
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #frames: FrameKind;
  readonly #pending = new Fifo<PendingRequest>();
  readonly #outgoing = new SendQueue();
  readonly #replies = new ReplyAssembler((status, payload) => this.#onReply(status, payload));
  readonly #markClosed: () => void;
  #socket: Socket<undefined> | undefined;
  #isClosed = false;
  #closeCause: unknown;
  /** True while a flush is scheduled or the socket has to drain first. */
  #flushWaits = false;

  private constructor(frames: FrameKind) {
    this.#frames = frames;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#markClosed = resolve;
  }

  /** Connects; CannotEstablishConnection (9) with the reason as `cause` if that fails or takes too long. */
  static async connect(options: TcpConnectionOptions): Promise<TcpConnection> {
    const connection = new TcpConnection(options.frames ?? "sdk");
    const timeoutMs = options.connectTimeoutMs ?? connectTimeoutMs;
    const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(cannotConnect(new Error(`no answer within ${timeoutMs} ms`))), timeoutMs);
    Bun.connect<undefined>({
      hostname: options.host,
      port: options.port,
      data: undefined,
      socket: {
        open: (socket) => {
          connection.#socket = socket;
          if (connection.#isClosed) socket.terminate();
          else resolve();
        },
        data: (_socket, chunk) => connection.#onData(chunk),
        drain: () => connection.#flush(),
        end: () => connection.#end(undefined),
        close: (_socket, error) => connection.#end(error ?? undefined),
        error: (_socket, error) => connection.#end(error),
        connectError: (_socket, error) => reject(cannotConnect(error)),
      },
    }).catch((cause: unknown) => reject(cannotConnect(cause)));
    try {
      await opened;
    } catch (error) {
      connection.#end(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Requests without a reply yet. */
  get inFlightCount(): number {
    return this.#pending.length;
  }

  /**
   * Sends a request and resolves with the payload of its reply, which then belongs to the caller. A payload in parts is
   * sent as if joined. It is not copied if it is large, so it must not change until the reply came. Rejects with the
   * IggyError of the reply's status, or with a ConnectionLostError (`Disconnected`) if the connection ends first.
   */
  async request(code: number, payload: Uint8Array | readonly Uint8Array[]): Promise<Uint8Array> {
    const parts = payload instanceof Uint8Array ? [payload] : payload;
    return this.#send(requestFramePieces(code, parts, this.#frames));
  }

  /**
   * Like `request` with a whole frame that the caller has built for this connection's kind of frames. It is not copied
   * and must not change until the reply came.
   */
  requestFrame(frame: Uint8Array): Promise<Uint8Array> {
    return this.#send([frame]);
  }

  /** Ends the connection at once; requests in flight are rejected. Calling it again does nothing. */
  close(): void {
    this.#end(undefined);
  }

  #send(frames: readonly Uint8Array[]): Promise<Uint8Array> {
    if (this.#isClosed) return Promise.reject(new ConnectionLostError(false, { cause: this.#closeCause }));
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#pending.push({ startPosition: this.#outgoing.queuedBytes, resolve, reject });
    for (const frame of frames) this.#outgoing.push(frame);
    if (!this.#flushWaits) {
      this.#flushWaits = true;
      // At the end of the turn, so that requests made together leave together.
      queueMicrotask(() => this.#flush());
    }
    return promise;
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#isClosed) return;
    this.#flushWaits = !this.#outgoing.flush((bytes) => socket.write(bytes));
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    try {
      this.#replies.push(chunk);
    } catch (error) {
      this.#end(error);
    }
  }

  #onReply(status: number, payload: Uint8Array): void {
    const request = this.#pending.shift();
    if (request === undefined) {
      // A server that shuts down says so with an unasked reply 8 (spec BP 2.8); any other one means that the order is lost.
      this.#end(status === errorTable.Disconnected.code ? undefined : new IggyError("InvalidFormat"));
      return;
    }
    if (status === 0) request.resolve(payload);
    else if (status === errorTable.Disconnected.code) request.reject(this.#lost(request, IggyError.ofCode(status)));
    else request.reject(IggyError.ofCode(status));
  }

  #lost(request: PendingRequest, cause: unknown): ConnectionLostError {
    return new ConnectionLostError(this.#outgoing.takenBytes > request.startPosition, { cause });
  }

  #end(cause: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeCause = cause;
    if (cause === undefined) this.#socket?.end();
    else this.#socket?.terminate();
    for (const request of this.#pending.drain()) request.reject(this.#lost(request, cause));
    this.#markClosed();
  }
}
