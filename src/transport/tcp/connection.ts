// One TCP connection: what the socket can do beyond bytes in and bytes out. The rest of a send's payload is received straight
// into its place, and the connection goes to the shard where its work is done.
import type { Socket } from "bun";
import { descriptorOf, MessageFlag, native } from "../../platform/ffi.ts";
import type { SessionState, Sessions, SubscribedState } from "../../server/index.ts";
import type { MovedConnection } from "../../shard/index.ts";
import type { Carrier, PipelineOptions } from "../carrier.ts";
import type { ConnectionFrames } from "../frame-parser.ts";
import { RequestPipeline } from "../request-pipeline.ts";
import { Outbound } from "./outbound.ts";
import { acknowledgeNow } from "./socket-options.ts";

export interface TcpConnectionOptions {
  /** No TLS: the descriptor may be read and written directly. */
  readonly isPlain: boolean;
  /** Undefined: the connection stays where it is. */
  readonly onMove: ((shardId: number, moved: MovedConnection) => void) | undefined;
}

/** What one shard tells the next about a connection. */
export interface MovedState {
  readonly session: SessionState;
  readonly frames: ConnectionFrames;
  readonly unread: Uint8Array;
  readonly subscriptions: readonly SubscribedState[];
}

/** Retries of a direct receive before the event loop gets its turn back: some 20 µs, less than a wake-up costs. */
const receiveRetriesMax = 60;

/**
 * Some clients write a request in several pieces (the Rust SDK over TLS: length, code, payload) and leave Nagle's algorithm
 * on: each piece waits until the one before is acknowledged, which the system would put off for 40 ms.
 */
const pieceBytesMax = 256;

export class TcpConnection implements Carrier {
  readonly pipeline: RequestPipeline;
  readonly output: Outbound;
  /** The sidecar's connections stand for QUIC connections, which stay open (spec BP 2.7). */
  readonly endsWithRecord: boolean;
  readonly gathersMessages = false;
  readonly #socket: Socket<unknown>;
  /** For direct receives; -1: none. */
  readonly #fd: number;
  readonly #onMove: TcpConnectionOptions["onMove"];
  readonly #sessions: Sessions;

  constructor(socket: Socket<unknown>, { isPlain, onMove }: TcpConnectionOptions, options: PipelineOptions) {
    this.#socket = socket;
    this.#fd = isPlain && native !== undefined ? descriptorOf(socket) : -1;
    this.#onMove = onMove;
    this.#sessions = options.context.sessions;
    this.output = new Outbound(socket, isPlain);
    this.endsWithRecord = options.session.transport !== "quic";
    this.pipeline = new RequestPipeline(this, options);
  }

  /** Bytes from the socket, which may be kept. */
  receive(bytes: Uint8Array): void {
    this.pipeline.receive(bytes);
    if (bytes.byteLength <= pieceBytesMax && this.pipeline.parser.isInsideFrame) acknowledgeNow(this.#socket);
  }

  /** The socket has room again. */
  drained(): void {
    if (this.output.drain()) this.pipeline.drained();
  }

  /** Takes the rest of a send's payload from the descriptor straight into its place, without a copy in between. */
  receiveDirectly(): void {
    const { payloadAddress, parser } = this.pipeline;
    if (payloadAddress === 0 || this.#fd < 0 || native === undefined) return;
    let retries = 0;
    for (;;) {
      const missing = parser.targetBytesMissing;
      if (missing === 0) return;
      const address = payloadAddress + parser.targetBytesReceived;
      const count = native.recv(this.#fd, address, missing, MessageFlag.dontWait);
      if (count > 0) {
        retries = 0;
        parser.advance(count);
      } else if (count === 0 || ++retries > receiveRetriesMax) {
        return; // the end of the stream and errors are the event loop's to see
      }
    }
  }

  /**
   * Goes to the shard where this connection's work is done. Only between two requests with nothing left to send; the
   * descriptor is duplicated, so the connection does not notice that this socket goes away.
   */
  moveIfBetter(): boolean {
    const { session, parser, isOpen } = this.pipeline;
    const target = session.affinity.target();
    if (target === undefined || this.#onMove === undefined || this.#fd < 0 || native === undefined) return false;
    const place = parser.betweenFrames;
    if (place === undefined || !isOpen || !this.output.isEmpty || session.subscriber?.isReading === true) return false;
    const fd = native.dup(this.#fd);
    if (fd < 0) {
      session.affinity.stay();
      return false;
    }
    const unread = place.unread.slice();
    this.pipeline.detach();
    const state: MovedState = {
      session: this.#sessions.release(session),
      frames: place.frames,
      unread,
      subscriptions: session.subscriber?.release() ?? [],
    };
    this.#socket.terminate();
    this.#onMove(target, { fd, state });
    return true;
  }

  /** Every error has a reply on TCP (spec BP 2.7). */
  endsWithoutReply(): boolean {
    return false;
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  endSending(isPeerDone: boolean): void {
    if (isPeerDone) this.#socket.end();
    else this.#socket.shutdown();
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
