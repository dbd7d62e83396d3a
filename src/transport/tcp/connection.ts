// One TCP connection: bytes to requests, requests to dispatch, replies in the order of the requests. One request at a time,
// except that sends behind sends may be under way together, so that a client that pipelines gets group commit. While a
// request is under way what arrives waits in the parser; past a limit the socket is paused.
import { readSync } from "node:fs";
import type { Socket } from "bun";
import { descriptorOf, MessageFlag, native } from "../../platform/ffi.ts";
import { CommandCode } from "../../protocol/codes.ts";
import { IggyError, toIggyError } from "../../protocol/errors.ts";
import { encodeErrorFrame, type FrameKind, frameHeaderBytes, writeReplyHead } from "../../protocol/frame.ts";
import { payloadBytesMax } from "../../protocol/limits.ts";
import { PollReplyLayout, pollReplyHeadBytes } from "../../protocol/message-layout.ts";
import {
  dispatch,
  isPollReply,
  isServerFault,
  type PollReply,
  type Reply,
  requireLogin,
  type ServerContext,
  type Session,
  type SessionState,
  sendMessages,
} from "../../server/index.ts";
import type { FrameBuffer, FrameMemory, MovedConnection } from "../../shard/index.ts";
import { FrameParser, type FramePlan, type FrameSink, type PayloadTarget } from "../frame-parser.ts";
import {
  anonymousPayloadBytesMax,
  backlogBytesMax,
  discardedPayloadBytesMax,
  lingerMs,
  sendsUnderWayMax,
  slowestBytesPerMs,
} from "../session-limits.ts";
import { Outbound } from "./outbound.ts";

export interface ConnectionOptions {
  readonly context: ServerContext;
  readonly session: Session;
  readonly frameMemory: FrameMemory;
  readonly frames: FrameKind | "auto";
  /** Bytes that arrived on another shard and were not used there. */
  readonly unread: Uint8Array | undefined;
  /** Largest send request. */
  readonly requestBytesMax: number;
  /** No TLS: the descriptor may be read and written directly. */
  readonly isPlain: boolean;
  /** A small request got its small reply: the client's next one may come within microseconds. */
  readonly onSmallExchange: () => void;
  readonly onLegacyClient: () => void;
  /** A bug: the request was answered with an error, and the connection goes on. */
  readonly onFault: (code: number, error: unknown) => void;
  /** After the connection is gone, once. */
  readonly onClosed: () => void;
  /** Undefined: connections stay where they are. */
  readonly onMove: ((shardId: number, moved: MovedConnection) => void) | undefined;
}

/** What one shard tells the next about a connection. */
export interface MovedState {
  readonly session: SessionState;
  readonly frames: FrameKind;
  readonly unread: Uint8Array;
}

/** A reply that is not there yet. */
interface Slot {
  /** Undefined until the request is done. */
  write: (() => void) | undefined;
}

/** Retries of a direct receive before the event loop gets its turn back: some 20 µs, less than a wake-up costs. */
const receiveRetriesMax = 60;
/** Poll replies up to this size are read into memory and sent with one call. */
const joinedReplyBytesMax = 32 * 1024;

/** Chunks from here on are given back at once. */
const freedChunkBytesMin = 32 * 1024;

const successFrame = new Uint8Array(frameHeaderBytes);
/** Only used inside one call. */
const replyBuffer = new Uint8Array(frameHeaderBytes + pollReplyHeadBytes + joinedReplyBytesMax);
const replyView = new DataView(replyBuffer.buffer);

export class Connection implements FrameSink {
  readonly session: Session;
  readonly #socket: Socket<unknown>;
  /** For direct receives; -1: none. */
  readonly #fd: number;
  readonly #options: ConnectionOptions;
  readonly #parser: FrameParser;
  readonly #outbound: Outbound;
  readonly #slots: Slot[] = [];
  #sendsUnderWay = 0;
  #isBusy = false;
  #isPaused = false;
  #waitsForMemory = false;
  #closing: "no" | "afterReplies" | "lingering" | "closed" = "no";
  #buffer: FrameBuffer | undefined;
  #refusal: IggyError | undefined;
  #frameStartedAtMs = 0;

  constructor(socket: Socket<unknown>, options: ConnectionOptions) {
    this.#socket = socket;
    this.#fd = options.isPlain && native !== undefined ? descriptorOf(socket) : -1;
    this.#options = options;
    this.session = options.session;
    this.#parser = new FrameParser(this, options.frames, options.unread);
    this.#outbound = new Outbound(socket, options.isPlain);
  }

  /** Begins with the bytes that came along from another shard. */
  start(): void {
    this.#parser.resume();
    this.#receiveDirectly();
    this.#pauseIfNeeded();
  }

  /** Bytes from the socket, which may be kept. */
  receive(bytes: Uint8Array): void {
    if (this.#closing !== "no") return;
    this.#parser.push(bytes);
    if (bytes.byteLength >= freedChunkBytesMin && this.#parser.backlogBytes === 0) freeChunk(bytes);
    this.#receiveDirectly();
    this.#pauseIfNeeded();
  }

  /** The socket has room again. */
  drained(): void {
    if (this.#outbound.drain()) this.#proceed();
  }

  /** The socket is gone. */
  closed(): void {
    if (this.#closing === "closed") return;
    this.#closing = "closed";
    this.#parser.stop();
    this.#outbound.close();
    this.#releaseBuffer();
    this.#options.onClosed();
  }

  /** How far a half-received frame is behind the slowest pace, in ms; 0 when there is none. */
  stalledMs(nowMs: number): number {
    if (this.#buffer === undefined || this.#parser.targetBytesMissing === 0) return 0;
    return nowMs - this.#frameStartedAtMs - this.#parser.targetBytesReceived / slowestBytesPerMs;
  }

  /** Tells the client that the server stops (spec BP 2.7), and closes. */
  disconnect(): void {
    if (this.#closing === "closed") return;
    this.#parser.stop();
    if (this.#slots.length === 0 && this.#closing === "no") {
      this.#outbound.write(encodeErrorFrame(new IggyError("Disconnected").code));
    }
    this.#closeAfterReplies();
  }

  terminate(): void {
    this.#socket.terminate();
    this.closed();
  }

  // The parser's side.

  isReady(): boolean {
    return this.#closing === "no" && !this.#isBusy && this.#outbound.isEmpty && this.#sendsUnderWay < sendsUnderWayMax;
  }

  plan(code: number, payloadBytes: number): FramePlan {
    if (code === CommandCode.sendMessages) return this.#planSend(payloadBytes);
    if (this.#sendsUnderWay > 0) return "wait"; // earlier sends first: what follows may depend on them
    if (payloadBytes < 0) return this.#refuse(new IggyError("InvalidCommand"), 0);
    if (payloadBytes > payloadBytesMax) return this.#refuse(new IggyError("InvalidCommand"), payloadBytes);
    if (this.session.user === undefined && payloadBytes > anonymousPayloadBytesMax) {
      return this.#refuse(new IggyError("Unauthenticated"), payloadBytes);
    }
    return "collect";
  }

  target(usedBytes: number): PayloadTarget {
    const buffer = this.#buffer!;
    this.#options.frameMemory.reserve(buffer, usedBytes);
    return buffer;
  }

  targetComplete(): void {
    const buffer = this.#buffer!;
    this.#buffer = undefined;
    const { context, frameMemory } = this.#options;
    this.#sendsUnderWay++;
    const slot = this.#openSlot();
    const finish = (error: unknown) => {
      frameMemory.release(buffer);
      this.#sendsUnderWay--;
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
    if (payloadBytes < 0) return this.#refuse(new IggyError("InvalidCommand"), 0);
    try {
      requireLogin(this.session);
    } catch (error) {
      return this.#refuse(toIggyError(error), payloadBytes);
    }
    if (payloadBytes > this.#options.requestBytesMax)
      return this.#refuse(new IggyError("InvalidCommand"), payloadBytes);
    const buffer = this.#options.frameMemory.allocate(payloadBytes);
    if (buffer === undefined) {
      this.#waitForMemory();
      return "wait";
    }
    this.#buffer = buffer;
    this.#frameStartedAtMs = performance.now();
    return "target";
  }

  /** The frame is answered with `error` when its payload has been thrown away; one that is too large ends the connection. */
  #refuse(error: IggyError, payloadBytes: number): FramePlan {
    if (payloadBytes <= discardedPayloadBytesMax) {
      this.#refusal = error;
      return "discard";
    }
    this.#settle(this.#openSlot(), 0, error);
    this.#closeAfterReplies();
    return "stop";
  }

  #waitForMemory(): void {
    if (this.#waitsForMemory) return;
    this.#waitsForMemory = true;
    this.#options.frameMemory.whenFree(() => {
      this.#waitsForMemory = false;
      this.#proceed();
    });
  }

  /** Takes the rest of a send's payload from the descriptor straight into its place, without a copy in between. */
  #receiveDirectly(): void {
    const buffer = this.#buffer;
    if (buffer === undefined || buffer.address === 0 || this.#fd < 0 || native === undefined) return;
    let retries = 0;
    for (;;) {
      const missing = this.#parser.targetBytesMissing;
      if (missing === 0) return;
      const address = buffer.address + buffer.position + this.#parser.targetBytesReceived;
      const count = native.recv(this.#fd, address, missing, MessageFlag.dontWait);
      if (count > 0) {
        retries = 0;
        this.#parser.advance(count);
      } else if (count === 0 || ++retries > receiveRetriesMax) {
        return; // the end of the stream and errors are the event loop's to see
      }
    }
  }

  // Replies.

  #openSlot(): Slot {
    const slot: Slot = { write: undefined };
    this.#slots.push(slot);
    return slot;
  }

  /** Fills a slot and sends every reply whose turn it is. */
  #settle(slot: Slot, code: number, error: unknown, reply?: Reply): void {
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
      if (this.#slots.length === 0 && !this.#moveIfBetter()) this.#proceed();
    } catch (fault) {
      this.#options.onFault(code, fault);
      this.terminate();
    }
  }

  /**
   * Goes to the shard where this connection's work is done. Only between two requests with nothing left to send; the
   * descriptor is duplicated, so the connection does not notice that this socket goes away.
   */
  #moveIfBetter(): boolean {
    const target = this.session.affinity.target();
    const { onMove } = this.#options;
    if (target === undefined || onMove === undefined || this.#fd < 0 || native === undefined) return false;
    const place = this.#parser.betweenFrames;
    if (place === undefined || this.#closing !== "no" || !this.#outbound.isEmpty) return false;
    const fd = native.dup(this.#fd);
    if (fd < 0) {
      this.session.affinity.stay();
      return false;
    }
    this.#closing = "closed";
    this.#parser.stop();
    const state: MovedState = {
      session: this.#options.context.sessions.release(this.session),
      frames: place.frames,
      unread: place.unread.slice(),
    };
    this.#socket.terminate();
    onMove(target, { fd, state });
    return true;
  }

  #write(code: number, error: unknown, reply: Reply | undefined): void {
    if (error !== undefined) this.#writeError(code, error);
    else this.#writeReply(reply);
  }

  #writeReply(reply: Reply | undefined): void {
    if (reply === undefined || (!isPollReply(reply) && reply.byteLength === 0)) {
      this.#outbound.write(successFrame);
    } else if (isPollReply(reply)) {
      this.#writePoll(reply);
    } else {
      const frame = new Uint8Array(frameHeaderBytes + reply.byteLength);
      writeReplyHead(new DataView(frame.buffer), 0, 0, reply.byteLength);
      frame.set(reply, frameHeaderBytes);
      this.#outbound.write(frame);
    }
  }

  #writePoll({ partitionId, read }: PollReply): void {
    const headBytes = frameHeaderBytes + pollReplyHeadBytes;
    writeReplyHead(replyView, 0, 0, pollReplyHeadBytes + read.sizeBytes);
    replyView.setUint32(frameHeaderBytes + PollReplyLayout.partitionId, partitionId, true);
    const offsetPosition = frameHeaderBytes + PollReplyLayout.currentOffset;
    replyView.setUint32(offsetPosition, read.currentOffset >>> 0, true);
    replyView.setUint32(offsetPosition + 4, Math.floor(read.currentOffset / 2 ** 32), true);
    replyView.setUint32(frameHeaderBytes + PollReplyLayout.messagesCount, read.messagesCount, true);
    if (read.sizeBytes > joinedReplyBytesMax) {
      this.#outbound.writeParts(replyBuffer.subarray(0, headBytes), read.parts, () => read.release());
      return;
    }
    let position = headBytes;
    for (const part of read.parts) {
      if (part.kind === "bytes") replyBuffer.set(part.bytes, position);
      else readSync(part.fd, replyBuffer, position, part.sizeBytes, part.position);
      position += part.kind === "bytes" ? part.bytes.byteLength : part.sizeBytes;
    }
    read.release();
    this.#outbound.write(replyBuffer.subarray(0, position));
    this.#options.onSmallExchange();
  }

  #writeError(code: number, thrown: unknown): void {
    const error = toIggyError(thrown);
    if (isServerFault(thrown)) this.#options.onFault(code, thrown);
    this.#outbound.write(encodeErrorFrame(error.code));
    // The client record is gone: the connection has no meaning any more (spec BP 2.7).
    if (error.errorName === "StaleClient" || error.errorName === "ClientNotFound") this.#closeAfterReplies();
  }

  // Flow.

  /** Something that held the connection up is over. */
  #proceed(): void {
    if (this.#closing === "afterReplies") this.#closeAfterReplies();
    if (this.#closing !== "no") return;
    if (this.#parser.backlogBytes > 0 || this.#parser.isInsideFrame) {
      this.#parser.resume();
      this.#receiveDirectly();
    }
    if (this.#isPaused && !this.#mustPause()) {
      this.#isPaused = false;
      this.#socket.resume();
    }
  }

  /**
   * Only for what waits here. A full socket needs no pause: the parser takes no request before the replies are out, so what
   * arrives meanwhile is bounded by the backlog, and a paused socket does not report that its peer is gone.
   */
  #mustPause(): boolean {
    return this.#parser.backlogBytes > backlogBytesMax;
  }

  #pauseIfNeeded(): void {
    if (this.#isPaused || this.#closing !== "no" || !this.#mustPause()) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  /**
   * Ends the connection when every reply is out. The client may still be sending: closing at once would make the system
   * throw the last replies away, so the sending side ends first and what still comes is ignored for a moment.
   */
  #closeAfterReplies(): void {
    if (this.#closing === "lingering" || this.#closing === "closed") return;
    this.#closing = "afterReplies";
    if (this.#slots.length > 0 || !this.#outbound.isEmpty) return;
    this.#closing = "lingering";
    if (this.#isPaused) this.#socket.resume();
    this.#socket.shutdown();
    setTimeout(() => {
      if (this.#closing !== "closed") this.terminate();
    }, lingerMs);
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
