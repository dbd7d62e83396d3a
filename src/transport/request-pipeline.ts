// What every binary transport has in common: the bytes of a connection to requests, requests to dispatch, replies in the
// order of the requests. One request at a time, except that sends behind sends may be under way together, so that a client
// that pipelines gets group commit. While a request is under way what arrives waits in the parser; past a limit the
// transport stops reading. What only a socket can do is the carrier's.
import { CommandCode } from "../protocol/codes.ts";
import { IggyError, toIggyError } from "../protocol/errors.ts";
import { encodeErrorFrame } from "../protocol/frame.ts";
import { payloadBytesMax } from "../protocol/limits.ts";
import {
  dispatch,
  EarlierClientError,
  isLoggedIn,
  isPollReply,
  isServerFault,
  type Reply,
  type Session,
  sendMessages,
  tellRefused,
} from "../server/index.ts";
import { arenaFrameBytesMax, type FrameBuffer } from "../shard/index.ts";
import type { Carrier, PipelineOptions } from "./carrier.ts";
import { FramePace } from "./frame-pace.ts";
import { FrameParser, type FramePlan, type FrameSink, type PayloadTarget } from "./frame-parser.ts";
import type { Output } from "./output.ts";
import { joinedReplyBytesMax, replyBytes, writeReply } from "./reply-writer.ts";
import { refusalOfSend } from "./send-refusal.ts";
import {
  anonymousPayloadBytesMax,
  backlogBytesMax,
  discardedPayloadBytesMax,
  idleLingerMs,
  lingerMs,
  sendsUnderWayMax,
} from "./session-limits.ts";

/** A reply that is not there yet. */
interface Slot {
  /** Undefined until the request is done. */
  write: (() => void) | undefined;
  /** When the whole request was there. */
  readonly startedMs: number;
}

/** Chunks from here on are given back at once. */
const freedChunkBytesMin = 32 * 1024;

export class RequestPipeline implements FrameSink {
  readonly session: Session;
  readonly parser: FrameParser;
  readonly #carrier: Carrier;
  readonly #options: PipelineOptions;
  readonly #output: Output;
  readonly #slots: Slot[] = [];
  #sendsUnderWay = 0;
  #largeUnderWay = 0;
  #isBusy = false;
  #isPaused = false;
  #waitsForMemory = false;
  /** The client has ended its sending side. */
  #hasEnded = false;
  #closing: "no" | "afterReplies" | "lingering" | "closed" = "no";
  #buffer: FrameBuffer | undefined;
  #refusal: IggyError | undefined;
  readonly #pace = new FramePace();

  constructor(carrier: Carrier, options: PipelineOptions) {
    this.#carrier = carrier;
    this.#options = options;
    this.#output = carrier.output;
    this.session = options.session;
    this.parser = new FrameParser(this, options.frames, options.backlog, options.detectFrames);
  }

  get #statistics() {
    return this.#options.context.shard.statistics;
  }

  /** Where the payload of the send that is being received goes. */
  get openBuffer(): FrameBuffer | undefined {
    return this.#buffer;
  }

  /** Whether the connection goes on: it is not closed, nor about to be. */
  get isOpen(): boolean {
    return this.#closing === "no" && !this.#hasEnded;
  }

  /** A login is under way, and the client may be nobody yet. */
  get isLoggingIn(): boolean {
    return this.#isBusy && this.session.user === undefined;
  }

  /** Begins with the bytes that came along from another shard. */
  start(): void {
    this.parser.resume();
    this.#carrier.receiveDirectly();
    this.#pauseIfNeeded();
  }

  /** Bytes from the connection, which may be kept. */
  receive(bytes: Uint8Array): void {
    if (this.#closing !== "no") return;
    this.parser.push(bytes);
    if (bytes.byteLength >= freedChunkBytesMin && this.parser.backlogBytes === 0) freeChunk(bytes);
    this.#carrier.receiveDirectly();
    this.#pauseIfNeeded();
  }

  /** Everything that waited in the output has been sent. */
  drained(): void {
    this.#proceed();
  }

  /**
   * The client sends nothing more, and may still read: what has arrived is carried out and answered, then the connection
   * ends (spec BP 2.7). Programs that write, end their sending side and read, and forwarders between, rely on it.
   */
  ended(): void {
    this.#hasEnded = true;
    this.#closeIfEnded();
  }

  /** The connection is gone. */
  closed(): void {
    if (this.#closing === "closed") return;
    this.detach();
    this.#output.close();
    this.#releaseBuffer();
    this.#options.onClosed();
  }

  /** Stops without a word: the connection goes on elsewhere. */
  detach(): void {
    this.#closing = "closed";
    this.parser.stop();
  }

  /** Whether a half-received frame holds memory, for which others have waited since `sinceMs`, without being at work. */
  isHoldingUp(nowMs: number, sinceMs: number): boolean {
    if (this.#buffer === undefined || this.parser.targetBytesMissing === 0 || this.#waitsForMemory) return false;
    return this.#pace.isTooSlow(nowMs, sinceMs, this.parser.targetBytesReceived);
  }

  /** Tells the client that the server stops (spec BP 2.7), and closes. */
  disconnect(): void {
    if (this.#closing === "closed") return;
    const { isInsideFrame } = this.parser;
    this.parser.stop();
    const isUnanswered = this.#slots.length > 0 || this.#closing !== "no";
    if (!isUnanswered) this.#output.write(encodeErrorFrame(new IggyError("Disconnected").code));
    this.#closeAfterReplies(isUnanswered || isInsideFrame ? lingerMs : idleLingerMs);
  }

  terminate(): void {
    this.#carrier.terminate();
    this.closed();
  }

  // The parser's side.

  isReady(): boolean {
    return this.#closing === "no" && !this.#isBusy && this.#output.isEmpty && this.#sendsUnderWay < sendsUnderWayMax;
  }

  plan(code: number, payloadBytes: number): FramePlan {
    if (code === CommandCode.sendMessages) return this.#planSend(payloadBytes);
    if (this.#sendsUnderWay > 0) return "wait"; // earlier sends first: what follows may depend on them
    if (payloadBytes < 0) return this.#refuse(new IggyError("InvalidCommand"), 0);
    if (payloadBytes > payloadBytesMax) return this.#refuse(new IggyError("InvalidCommand"), payloadBytes);
    if (!isLoggedIn(this.session) && payloadBytes > anonymousPayloadBytesMax) {
      return this.#refuse(new IggyError("Unauthenticated"), payloadBytes);
    }
    return "collect";
  }

  target(usedBytes: number): PayloadTarget | undefined {
    const buffer = this.#buffer!;
    if (this.#options.frameMemory.reserve(buffer, usedBytes)) return buffer;
    this.#waitForMemory();
    return undefined;
  }

  targetComplete(): void {
    const buffer = this.#buffer!;
    this.#buffer = undefined;
    const { context, frameMemory } = this.#options;
    this.#statistics.received(this.session.transport, buffer.sizeBytes);
    const isLarge = buffer.sizeBytes > arenaFrameBytesMax;
    this.#sendsUnderWay++;
    if (isLarge) this.#largeUnderWay++;
    const slot = this.#openSlot();
    const finish = (error: unknown) => {
      frameMemory.release(buffer);
      this.#sendsUnderWay--;
      if (isLarge) this.#largeUnderWay--;
      this.#settle(slot, CommandCode.sendMessages, error);
      if (buffer.sizeBytes <= joinedReplyBytesMax) this.#options.onSmallExchange();
    };
    try {
      sendMessages(context.shard, this.session, buffer).then(
        () => finish(undefined),
        (error: unknown) => finish(error),
      );
    } catch (error) {
      finish(error);
    }
  }

  request(code: number, payload: Uint8Array): void {
    this.#statistics.received(this.session.transport, payload.byteLength);
    const slot = this.#openSlot();
    let result: Reply | Promise<Reply>;
    try {
      result = dispatch(this.#options.context, this.session, code, payload);
    } catch (error) {
      this.#settle(slot, code, error);
      return;
    }
    if (!(result instanceof Promise)) {
      this.#settle(slot, code, undefined, result);
      return;
    }
    this.#isBusy = true;
    const finish = (error: unknown, reply?: Reply) => {
      this.#isBusy = false;
      this.#settle(slot, code, error, reply);
    };
    result.then(
      (reply) => finish(undefined, reply),
      (error: unknown) => finish(error),
    );
  }

  discarded(code: number): void {
    const error = this.#refusal;
    this.#refusal = undefined;
    this.#settle(this.#openSlot(), code, error ?? new IggyError("InvalidCommand"));
  }

  legacyClient(): void {
    this.#options.onLegacyClient();
    this.terminate();
  }

  // Requests.

  #planSend(payloadBytes: number): FramePlan {
    const { context, frameMemory, requestBytesMax, largeSendsMax } = this.#options;
    const refusal = refusalOfSend(context.shard, this.session, payloadBytes, requestBytesMax);
    if (refusal !== undefined) return this.#refuse(refusal, Math.max(0, payloadBytes), CommandCode.sendMessages);
    if (payloadBytes > arenaFrameBytesMax && this.#largeUnderWay >= largeSendsMax) return "wait";
    const buffer = frameMemory.allocate(payloadBytes);
    if (buffer === undefined) return this.#refuse(new IggyError("InvalidCommand"), payloadBytes);
    this.#buffer = buffer;
    this.#pace.begin(performance.now());
    return "target";
  }

  /** The frame is answered with `error` when its payload has been thrown away; one that is too large ends the connection. */
  #refuse(error: IggyError, payloadBytes: number, code = 0): FramePlan {
    if (payloadBytes <= discardedPayloadBytesMax) {
      this.#refusal = error;
      return "discard";
    }
    this.#settle(this.#openSlot(), code, error);
    this.#closeAfterReplies();
    return "stop";
  }

  #waitForMemory(): void {
    if (this.#waitsForMemory) return;
    this.#waitsForMemory = true;
    this.#options.frameMemory.whenFree(() => {
      this.#waitsForMemory = false;
      this.#pace.begin(performance.now(), this.parser.targetBytesReceived);
      this.#proceed();
    });
  }

  // Replies.

  #openSlot(): Slot {
    const slot: Slot = { write: undefined, startedMs: performance.now() };
    this.#slots.push(slot);
    return slot;
  }

  /** Fills a slot and sends every reply whose turn it is. */
  #settle(slot: Slot, code: number, error: unknown, reply?: Reply): void {
    this.#statistics.answered(code, performance.now() - slot.startedMs);
    if (this.#closing === "closed") {
      if (reply !== undefined && isPollReply(reply)) reply.read.release();
      return;
    }
    try {
      if (this.#slots.length === 1 && this.#slots[0] === slot) {
        this.#slots.pop();
        this.#write(code, error, reply);
      } else {
        slot.write = () => this.#write(code, error, reply);
        while (this.#slots[0]?.write !== undefined) this.#slots.shift()!.write!();
      }
      if (this.#slots.length === 0 && !this.#carrier.moveIfBetter()) this.#proceed();
    } catch (fault) {
      this.#options.onFault(code, fault);
      this.terminate();
    }
  }

  #write(code: number, error: unknown, reply: Reply | undefined): void {
    if (reply !== undefined) this.#statistics.sent(this.session.transport, replyBytes(reply));
    if (error !== undefined) this.#writeError(code, error);
    else if (writeReply(this.#output, reply)) this.#options.onSmallExchange();
  }

  #writeError(code: number, thrown: unknown): void {
    const error = toIggyError(thrown);
    if (isServerFault(thrown)) this.#options.onFault(code, thrown);
    if (thrown instanceof EarlierClientError) this.#options.onEarlierClient();
    tellRefused(this.#options.context, this.session, code, thrown);
    if (this.#carrier.endsWithoutReply(error.code)) {
      this.#closeAfterReplies();
      return;
    }
    this.#output.write(encodeErrorFrame(error.code));
    const isRecordGone = error.errorName === "StaleClient" || error.errorName === "ClientNotFound";
    if (isRecordGone && this.#carrier.endsWithRecord) this.#closeAfterReplies();
  }

  // Flow.

  /** Something that held the connection up is over. */
  #proceed(): void {
    if (this.#closing === "afterReplies") this.#closeAfterReplies();
    if (this.#closing !== "no") return;
    if (this.parser.backlogBytes > 0 || this.parser.isInsideFrame) {
      this.parser.resume();
      this.#carrier.receiveDirectly();
    }
    if (this.#isPaused && !this.#mustPause()) {
      this.#isPaused = false;
      this.#carrier.resumeReading();
    }
    if (this.#hasEnded) this.#closeIfEnded();
  }

  /** What is left in the parser then is a request that never gets whole. */
  #closeIfEnded(): void {
    const isDone = this.#slots.length === 0 && this.#output.isEmpty && !this.#waitsForMemory;
    if (isDone && this.#closing === "no") this.#closeAfterReplies();
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
    if (this.#isPaused || this.#closing !== "no" || !this.#mustPause()) return;
    this.#isPaused = true;
    this.#carrier.pauseReading();
  }

  /**
   * Ends the connection when every reply is out. The client may still be sending: closing at once would make the system
   * throw the last replies away, so the sending side ends first and what still comes is ignored for `patienceMs`.
   */
  #closeAfterReplies(patienceMs = lingerMs): void {
    if (this.#closing === "lingering" || this.#closing === "closed") return;
    this.#closing = "afterReplies";
    if (this.#slots.length > 0 || !this.#output.isEmpty) return;
    this.#closing = "lingering";
    if (this.#isPaused) this.#carrier.resumeReading();
    this.#carrier.endSending(this.#hasEnded);
    setTimeout(() => {
      if (this.#closing !== "closed") this.terminate();
    }, patienceMs);
  }

  #releaseBuffer(): void {
    if (this.#buffer === undefined) return;
    this.#options.frameMemory.release(this.#buffer);
    this.#buffer = undefined;
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
