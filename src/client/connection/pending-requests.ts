// The requests of one connection that have no reply yet. A reply does not name its request; the server answers in the order
// of the requests (spec BP 2.8), so replies are matched by position.
import { errorCodes, IggyError } from "../../protocol/errors.ts";
import { isPushCode } from "../../protocol/extensions/codes.ts";
import { Fifo } from "../fifo.ts";
import { withResolvers } from "../with-resolvers.ts";
import { ConnectionLostError } from "./connection-lost-error.ts";
import { ReplyAssembler } from "./reply-assembler.ts";

type PendingRequest = {
  /** Where the request starts in the stream of sent bytes. */
  readonly startPosition: number;
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: IggyError) => void;
};

export type PendingRequestsOptions = {
  /** Bytes that have left since the beginning: what starts behind them has not been sent. */
  readonly sentBytes: () => number;
  /** The order of the replies is lost, or the server says goodbye (undefined): the connection must end. */
  readonly onEnd: (cause: unknown) => void;
  /** What the server has sent unasked. */
  readonly onPush: (code: number, payload: Uint8Array) => void;
};

export class PendingRequests {
  readonly #options: PendingRequestsOptions;
  readonly #pending = new Fifo<PendingRequest>();
  readonly #replies = new ReplyAssembler((status, payload) => this.#onReply(status, payload));
  #receivedBytes = 0;

  constructor(options: PendingRequestsOptions) {
    this.#options = options;
  }

  /** Bytes that have come since the beginning. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get count(): number {
    return this.#pending.length;
  }

  /** The reply to the request that starts at this position of the stream of sent bytes. */
  add(startPosition: number): Promise<Uint8Array> {
    const { promise, resolve, reject } = withResolvers<Uint8Array>();
    this.#pending.push({ startPosition, resolve, reject });
    return promise;
  }

  /** The next bytes from the server; they may be reused afterwards. */
  receive(chunk: Uint8Array): void {
    this.#receivedBytes += chunk.length;
    try {
      this.#replies.push(chunk);
    } catch (error) {
      this.#options.onEnd(error);
    }
  }

  rejectAll(cause: unknown): void {
    for (const request of this.#pending.drain()) request.reject(this.#lost(request, cause));
  }

  #onReply(status: number, payload: Uint8Array): void {
    if (isPushCode(status)) {
      this.#options.onPush(status, payload);
      return;
    }
    const request = this.#pending.shift();
    if (request === undefined) {
      // A server that shuts down says so with an unasked reply 8 (spec BP 2.8); any other one means that the order is lost.
      this.#options.onEnd(status === errorCodes.Disconnected ? undefined : new IggyError("InvalidFormat"));
      return;
    }
    if (status === 0) request.resolve(payload);
    else if (status === errorCodes.Disconnected) request.reject(this.#lost(request, IggyError.ofCode(status)));
    else request.reject(IggyError.ofCode(status));
  }

  #lost(request: PendingRequest, cause: unknown): ConnectionLostError {
    return new ConnectionLostError(this.#options.sentBytes() > request.startPosition, { cause });
  }
}
