// A connection that carries frames: requests go out as frames one behind the other, and what comes in is one stream of replies,
// whatever the wire is. Any number of requests may be in flight. It knows nothing of logins and never reconnects: that is the
// session's work.

import { withResolvers } from "../with-resolvers.ts";
import type { Connection, PushHandler } from "./connection.ts";
import { ConnectionLostError } from "./connection-lost-error.ts";
import { PendingRequests } from "./pending-requests.ts";
import { requestFramePieces } from "./request-frame.ts";

/** What takes the bytes of a connection to the other side. */
export interface Wire {
  /** Bytes that were given to it since the beginning: where the next request begins. */
  readonly queuedBytes: number;
  /** Bytes that have left since the beginning. */
  readonly sentBytes: number;
  /** Takes the pieces of one request. It does not copy them: they must not change until the reply came. */
  send(pieces: readonly Uint8Array[]): void;
  /** Ends it: in good order, or at once where there is a cause. Called once. */
  end(cause: unknown): void;
}

export class FramedConnection implements Connection {
  onPush: PushHandler | undefined;
  readonly #wire: Wire;
  readonly #pending: PendingRequests;
  readonly #ending = withResolvers<void>();
  #isClosed = false;
  #closeCause: unknown;

  constructor(wire: Wire) {
    this.#wire = wire;
    this.#pending = new PendingRequests({
      sentBytes: () => wire.sentBytes,
      onEnd: (cause) => this.end(cause),
      onPush: (code, push) => this.onPush?.(code, push),
    });
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

  request(code: number, payload: Uint8Array | readonly Uint8Array[]): Promise<Uint8Array> {
    if (this.#isClosed) return Promise.reject(new ConnectionLostError(false, { cause: this.#closeCause }));
    let pieces: readonly Uint8Array[];
    try {
      pieces = requestFramePieces(code, payload instanceof Uint8Array ? [payload] : payload);
    } catch (error) {
      return Promise.reject(error);
    }
    const reply = this.#pending.add(this.#wire.queuedBytes);
    this.#wire.send(pieces);
    return reply;
  }

  close(): void {
    this.end(undefined);
  }

  /** The next bytes from the server; they may be reused afterwards. */
  receive(chunk: Uint8Array): void {
    if (!this.#isClosed) this.#pending.receive(chunk);
  }

  /** The wire has ended, or is to end, for this reason; undefined in good order. */
  end(cause: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeCause = cause;
    this.#wire.end(cause);
    this.#pending.rejectAll(cause);
    this.#ending.resolve();
  }
}
