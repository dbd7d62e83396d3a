// One WebSocket connection: binary messages in, whose borders mean nothing, replies out.
import type { ServerWebSocket } from "bun";
import { errorCodes } from "../../protocol/errors.ts";
import type { Carrier, PipelineOptions } from "../carrier.ts";
import { RequestPipeline } from "../request-pipeline.ts";
import { WebSocketOutbound } from "./outbound.ts";

/** Sends a Close frame without a code (spec BP 2.5). */
const closeWithoutCode = 1005;
/** RFC 6455: the server is too busy, the client may come again. */
const closeTryAgainLater = 1013;

/** Answered by the end of the connection alone (spec BP 2.7). */
const silentErrors: ReadonlySet<number> = new Set([
  errorCodes.Disconnected,
  errorCodes.TcpError,
  errorCodes.ConnectionClosed,
]);

export class WebSocketConnection implements Carrier {
  readonly pipeline: RequestPipeline;
  readonly output: WebSocketOutbound;
  readonly endsWithRecord = true;
  readonly gathersMessages = true;
  readonly #socket: ServerWebSocket<unknown>;

  constructor(socket: ServerWebSocket<unknown>, options: PipelineOptions) {
    this.#socket = socket;
    this.output = new WebSocketOutbound(socket, () => this.pipeline.terminate());
    this.pipeline = new RequestPipeline(this, options);
  }

  /** The socket has room again. */
  drained(): void {
    if (this.output.drain()) this.pipeline.drained();
  }

  /** The client sends more than the connection may hold. */
  overflow(): void {
    this.pipeline.parser.stop();
    this.#socket.close(closeTryAgainLater, "too many bytes wait");
    this.pipeline.closed();
  }

  /** The runtime hands over whole messages only. */
  receiveDirectly(): void {}

  /** A WebSocket connection stays where it is; its requests are forwarded. */
  moveIfBetter(): boolean {
    return false;
  }

  endsWithoutReply(errorCode: number): boolean {
    return silentErrors.has(errorCode);
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  endSending(): void {
    this.#socket.close(closeWithoutCode);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
