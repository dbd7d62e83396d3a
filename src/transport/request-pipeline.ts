// What every binary transport has in common: the bytes of a connection to requests, requests to dispatch, replies in the
// order of the requests. One request at a time, except that sends behind sends may be under way together, so that a client
// that pipelines gets group commit. While a request is under way what arrives waits in the parser; past a limit the
// transport stops reading. What only a socket can do is the carrier's; how a connection ends is in connection-end.ts.
import { CommandCode } from "../protocol/codes.ts";
import { IggyError } from "../protocol/errors.ts";
import { ExtensionCode } from "../protocol/extensions/codes.ts";
import { encodeErrorFrame } from "../protocol/frame.ts";
import {
  dispatch,
  dispatch09,
  type Exchange09,
  exchangeOf,
  isSend09,
  type Reply,
  refusalOfSendHeader09,
  type Session,
  sendMessages,
  sendMessages09,
  sendWithReceipt,
  startBytesOfSend09,
} from "../server/index.ts";
import { arenaFrameBytesMax } from "../shard/index.ts";
import type { Carrier, PipelineOptions } from "./carrier.ts";
import { ConnectionEnd } from "./connection-end.ts";
import { ConnectionPushes } from "./connection-pushes.ts";
import { FrameParser, type FramePlan, type FrameSink, type PayloadTarget } from "./frame-parser.ts";
import type { Output } from "./output.ts";
import { refusalOfRequest, refusalOfSend } from "./refusals.ts";
import { ReplyQueue, type Slot } from "./reply-queue.ts";
import { joinedReplyBytesMax } from "./reply-writer.ts";
import { SendReceiver } from "./send-receiver.ts";
import {
  backlogBytesMax,
  discardedPayloadBytesMax,
  idleLingerMs,
  lingerMs,
  sendsUnderWayMax,
} from "./session-limits.ts";

/** Chunks from here on are given back at once. */
const freedChunkBytesMin = 32 * 1024;
const nothing = new Uint8Array(0);

export class RequestPipeline implements FrameSink {
  readonly session: Session;
  readonly parser: FrameParser;
  readonly pushes: ConnectionPushes;
  readonly #carrier: Carrier;
  readonly #options: PipelineOptions;
  readonly #output: Output;
  readonly #replies: ReplyQueue;
  #sendsUnderWay = 0;
  #largeUnderWay = 0;
  #waitsForLargeSend = false;
  #isBusy = false;
  #isPaused = false;
  readonly #end: ConnectionEnd;
  readonly #receiver: SendReceiver;
  #refusal: IggyError | undefined;
  /** The request of 0.9 that is being received. */
  #exchange: Exchange09 | undefined;
  /** The send that is being received is answered with where its messages are. */
  #wantsReceipt = false;
  /** Of the send of 0.9 that is being received. */
  #sendHead: Uint8Array = nothing;

  constructor(carrier: Carrier, options: PipelineOptions) {
    this.#carrier = carrier;
    this.#options = options;
    this.#output = carrier.output;
    this.#replies = new ReplyQueue(carrier, options);
    this.session = options.session;
    this.#end = new ConnectionEnd(carrier, this.#replies, this);
    this.pushes = new ConnectionPushes(carrier, options, this.#replies, this.#end, this);
    this.session.pushTarget = this.pushes;
    this.#receiver = new SendReceiver(
      options.frameMemory,
      () => this.parser.targetBytesReceived,
      () => this.#proceed(),
    );
    this.parser = new FrameParser(this, options.frames, options.backlog, options.detectFrames);
  }

  get #statistics() {
    return this.#options.context.shard.statistics;
  }

  /** Native address of the first byte of the send's payload that is being received; 0: not to be used. */
  get payloadAddress(): number {
    return this.#receiver.payloadAddress;
  }

  /** Whether the connection goes on: it is not closed, nor about to be. */
  get isOpen(): boolean {
    return this.#end.stage === "open" && !this.#end.isHalfClosed;
  }

  /** The transport reads nothing at present. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** A login is under way, and the client may be nobody yet. */
  get isLoggingIn(): boolean {
    return this.#isBusy && this.session.user === undefined;
  }

  /** Begins with the bytes that came along from another shard. */
  start(): void {
    this.parser.resume();
    this.#carrier.receiveDirectly();
    this.#endOvertakenWait();
    this.#pauseIfNeeded();
  }

  /** Bytes from the connection, which may be kept. */
  receive(bytes: Uint8Array): void {
    if (this.#end.stage !== "open") return;
    this.parser.push(bytes);
    if (bytes.byteLength >= freedChunkBytesMin && this.parser.backlogBytes === 0) freeChunk(bytes);
    this.#carrier.receiveDirectly();
    if (this.session.waiting !== undefined) this.#endOvertakenWait();
    this.#pauseIfNeeded();
  }

  /** Everything that waited in the output has been sent. */
  drained(): void {
    this.#proceed();
    this.session.subscriber?.proceed();
  }

  /**
   * The client sends nothing more, and may still read: what has arrived is carried out and answered, then the connection
   * ends (spec BP 2.7). Programs that write, end their sending side and read, and forwarders between, rely on it.
   */
  ended(): void {
    this.#end.isHalfClosed = true;
    this.session.waiting?.overtaken(); // nobody keeps who only listens
    this.session.subscriber?.close();
    this.#closeIfEnded();
  }

  /** The connection is gone. */
  closed(): void {
    if (this.#end.stage === "closed") return;
    this.detach();
    this.session.subscriber?.close();
    this.#output.close();
    this.#receiver.release();
    this.#options.onClosed();
  }

  /** Stops without a word: the connection goes on elsewhere. */
  detach(): void {
    this.#end.closed();
    this.parser.stop();
    this.session.waiting?.overtaken();
  }

  /** Whether a half-received frame holds memory, for which others have waited since `sinceMs`, without being at work. */
  isHoldingUp(nowMs: number, sinceMs: number): boolean {
    return this.parser.targetBytesMissing > 0 && this.#receiver.isHoldingUp(nowMs, sinceMs);
  }

  /** Tells the client that the server stops (spec BP 2.7), and closes. */
  disconnect(): void {
    if (this.#end.stage === "closed") return;
    const { isInsideFrame } = this.parser;
    this.parser.stop();
    this.session.waiting?.overtaken();
    const isUnanswered = !this.#replies.isEmpty || this.#end.stage !== "open";
    // Clients of 0.9 have no word for it (spec P9 3).
    if (!isUnanswered && this.session.protocol === "0.8") {
      this.#output.write(encodeErrorFrame(new IggyError("Disconnected").code));
    }
    this.#end.afterReplies(isUnanswered || isInsideFrame ? lingerMs : idleLingerMs);
  }

  terminate(): void {
    this.#carrier.terminate();
    this.closed();
  }

  // The parser's side.

  isReady(): boolean {
    return (
      this.#end.stage === "open" && !this.#isBusy && this.#output.isEmpty && this.#sendsUnderWay < sendsUnderWayMax
    );
  }

  plan(code: number, payloadBytes: number): FramePlan {
    if (code === CommandCode.sendMessages) return this.#planSend(payloadBytes, false);
    if (code === ExtensionCode.sendWithReceipt) return this.#planSend(payloadBytes, true);
    if (this.#sendsUnderWay > 0) return "wait"; // earlier sends first: what follows may depend on them
    const refusal = refusalOfRequest(this.session, payloadBytes);
    return refusal === undefined ? "collect" : this.#refuse(refusal, Math.max(0, payloadBytes));
  }

  plan09(header: Uint8Array, bodyBytes: number): FramePlan {
    this.session.protocol = "0.9";
    const isSend = isSend09(header);
    if (this.#sendsUnderWay > 0 && !isSend) return "wait";
    const { context, requestBytesMax } = this.#options;
    this.#exchange = exchangeOf(header);
    const refusal = isSend
      ? (refusalOfSend(context.shard, this.session, bodyBytes, requestBytesMax) ?? refusalOfSendHeader09(header))
      : refusalOfRequest(this.session, bodyBytes);
    if (refusal !== undefined) return this.#refuse(refusal, bodyBytes);
    return isSend ? "sendHead" : "collect";
  }

  planSend09(head: Uint8Array | undefined, framesBytes: number): FramePlan {
    const startBytes = head === undefined ? new IggyError("InvalidCommand") : startBytesOfSend09(head, framesBytes);
    if (startBytes instanceof IggyError) return this.#refuse(startBytes, framesBytes);
    this.#sendHead = head ?? nothing;
    return this.#openTarget(framesBytes, startBytes);
  }

  target(usedBytes: number): PayloadTarget | undefined {
    return this.#receiver.target(usedBytes);
  }

  targetComplete(): void {
    const buffer = this.#receiver.take();
    const { context, frameMemory } = this.#options;
    this.#statistics.received(this.session.transport, buffer.sizeBytes);
    const isLarge = buffer.sizeBytes > arenaFrameBytesMax;
    this.#sendsUnderWay++;
    if (isLarge) this.#largeUnderWay++;
    const slot = this.#replies.open(CommandCode.sendMessages, this.#exchange);
    const finish = (error: unknown, reply?: Reply) => {
      frameMemory.release(buffer);
      this.#sendsUnderWay--;
      if (isLarge) this.#largeUnderWay--;
      this.#settle(slot, error, reply);
      if (buffer.sizeBytes <= joinedReplyBytesMax) this.#options.onSmallExchange();
    };
    const { exchange } = slot;
    if (exchange === undefined && !this.#wantsReceipt) {
      sendMessages(context.shard, this.session, buffer).then(() => finish(undefined), finish);
    } else if (exchange === undefined) {
      sendWithReceipt(context.shard, this.session, buffer).then((reply) => finish(undefined, reply), finish);
    } else {
      const confirmed = sendMessages09(context.shard, this.session, exchange.header, this.#sendHead, buffer);
      confirmed.then((reply) => finish(undefined, reply), finish);
    }
  }

  request(code: number, payload: Uint8Array): void {
    const { context } = this.#options;
    this.#carryOut(code, payload, () => dispatch(context, this.session, code, payload));
  }

  request09(body: Uint8Array): void {
    const exchange = this.#exchange!;
    const { context } = this.#options;
    this.#carryOut(exchange.code, body, () => dispatch09(context, this.session, exchange, body));
  }

  discarded(code: number): void {
    const error = this.#refusal;
    this.#refusal = undefined;
    this.#settle(this.#replies.open(code, this.#exchange), error ?? new IggyError("InvalidCommand"));
  }

  broken(): void {
    this.#options.onBroken();
    this.terminate();
  }

  // Requests.

  #carryOut(code: number, payload: Uint8Array, run: () => Reply | Promise<Reply>): void {
    const slot = this.#replies.open(code, this.#exchange);
    this.#statistics.received(this.session.transport, payload.byteLength);
    let result: Reply | Promise<Reply>;
    try {
      result = run();
    } catch (error) {
      this.#settle(slot, error);
      return;
    }
    if (!(result instanceof Promise)) {
      this.#settle(slot, undefined, result);
      return;
    }
    this.#isBusy = true;
    // No more closures than these: a request may wait for long, and very many may.
    result.then(
      (reply) => this.#settleBusy(slot, undefined, reply),
      (error: unknown) => this.#settleBusy(slot, error, undefined),
    );
  }

  #settleBusy(slot: Slot, error: unknown, reply: Reply | undefined): void {
    this.#isBusy = false;
    this.#settle(slot, error, reply);
  }

  #planSend(payloadBytes: number, wantsReceipt: boolean): FramePlan {
    this.#wantsReceipt = wantsReceipt;
    const { context, requestBytesMax } = this.#options;
    const refusal = refusalOfSend(context.shard, this.session, payloadBytes, requestBytesMax);
    if (refusal !== undefined) return this.#refuse(refusal, Math.max(0, payloadBytes), CommandCode.sendMessages);
    return this.#openTarget(payloadBytes, 0);
  }

  #openTarget(payloadBytes: number, startBytes: number): FramePlan {
    const isLarge = startBytes + payloadBytes > arenaFrameBytesMax;
    this.#waitsForLargeSend = isLarge && this.#largeUnderWay >= this.#options.largeSendsMax;
    if (this.#waitsForLargeSend) return "wait";
    if (this.#receiver.open(payloadBytes, startBytes)) return "target";
    return this.#refuse(new IggyError("InvalidCommand"), payloadBytes);
  }

  /** The frame is answered with `error` when its payload has been thrown away; one that is too large ends the connection. */
  #refuse(error: IggyError, payloadBytes: number, code = 0): FramePlan {
    if (payloadBytes <= discardedPayloadBytesMax) {
      this.#refusal = error;
      return "discard";
    }
    this.#settle(this.#replies.open(code, this.#exchange), error);
    this.#end.afterReplies();
    return "stop";
  }

  // Replies.

  /** Fills a slot, sends every reply whose turn it is, and goes on. */
  #settle(slot: Slot, error: unknown, reply?: Reply): void {
    if (this.#end.stage === "closed") {
      this.#replies.drop(slot, reply);
      return;
    }
    try {
      if (this.#replies.settle(slot, error, reply)) this.#end.afterReplies();
      if (this.#replies.isEmpty ? !this.#carrier.moveIfBetter() : this.#waitsForLargeSend) this.#proceed();
    } catch (fault) {
      this.#options.onFault(slot.code, fault);
      this.terminate();
    }
  }

  // Flow.

  /** Something that held the connection up is over. */
  #proceed(): void {
    if (this.#end.stage === "afterReplies") this.#end.afterReplies();
    if (this.#end.stage !== "open") return;
    if (this.parser.backlogBytes > 0 || this.parser.isInsideFrame) {
      this.parser.resume();
      this.#carrier.receiveDirectly();
      this.#endOvertakenWait();
    }
    if (this.#isPaused && !this.#mustPause()) {
      this.#isPaused = false;
      this.#carrier.resumeReading();
    }
    if (this.#end.isHalfClosed) this.#closeIfEnded();
  }

  /** A request that waits for messages makes way for what has come behind it. */
  #endOvertakenWait(): void {
    if (this.parser.isInsideFrame || this.parser.backlogBytes > 0) this.session.waiting?.overtaken();
  }

  /** What is left in the parser then is a request that never gets whole. */
  #closeIfEnded(): void {
    const isDone = this.#replies.isEmpty && this.#output.isEmpty && !this.#receiver.waitsForMemory;
    if (isDone && this.#end.stage === "open") this.#end.afterReplies();
  }

  /**
   * For what waits here. A full socket needs no pause: the parser takes no request before the replies are out, so what
   * arrives meanwhile is bounded by the backlog, and a paused socket does not report that its peer is gone. Nor is anything
   * gathered for a client whose login is under way: it may have sent much behind it and be right, or be nobody.
   */
  #mustPause(): boolean {
    return this.parser.backlogBytes > backlogBytesMax || (this.isLoggingIn && this.#carrier.gathersMessages);
  }

  #pauseIfNeeded(): void {
    if (this.#isPaused || this.#end.stage !== "open" || !this.#mustPause()) return;
    this.#isPaused = true;
    this.#carrier.pauseReading();
  }
}

/**
 * Gives the memory of a used chunk back now instead of at the next garbage collection: the runtime makes one for every
 * read, and hundreds of kilobytes each would otherwise be fresh pages every time.
 */
function freeChunk(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}
