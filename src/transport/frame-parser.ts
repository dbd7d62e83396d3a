// From the bytes of a connection to whole requests. Knows no socket: bytes in, calls out. A send's payload goes straight to
// the place that the sink names; every other payload is handed over as a view when it came in one piece. The sink may say
// after each request that it cannot take another one yet; what is left then waits here.
//
// A request of 0.9 has a header of 256 bytes, and a send of 0.9 a head behind it, which says how much memory the frames of its
// messages need: it is collected before they have a place.

import { readU32 } from "../protocol/byte-reader.ts";
import { type FrameKind, frameHeaderBytes, sdkLengthOverheadBytes } from "../protocol/frame.ts";
import { type DetectedFrameKind, detectFrameKind } from "../protocol/frame-detection.ts";
import { frameBytesMax, frameBytesOf, HeaderCommand, headerBytes, headerCommandOf } from "../protocol/v09/headers.ts";
import { type Backlog, KeptBacklog } from "./backlog.ts";
import { SendHead09 } from "./v09/send-head.ts";

/** Where the payload of a send goes. */
export interface PayloadTarget {
  readonly memory: Uint8Array;
  readonly position: number;
}

/** What to do with a frame whose header has arrived. */
export type FramePlan =
  | "collect" // hand the payload over when it is whole
  | "target" // write the payload to the sink's target
  | "sendHead" // collect the head of a send of 0.9, then call `planSend`
  | "discard" // read the payload and throw it away, then call `discarded`
  | "wait" // not now: the parser stops before the payload and asks again
  | "stop"; // nothing more is read from this connection

export interface FrameSink {
  /** Whether a request may be handed over now. */
  isReady(): boolean;
  /** `payloadBytes` is negative when the announced length is below 4. */
  plan(code: number, payloadBytes: number): FramePlan;
  /**
   * Target of the payload that is being read; asked before each piece, with the number of bytes that will have arrived.
   * Undefined: not now, the piece waits until `resume`.
   */
  target(usedBytes: number): PayloadTarget | undefined;
  targetComplete(): void;
  /** A whole request. The payload is a view that is valid during the call only. */
  request(code: number, payload: Uint8Array): void;
  discarded(code: number): void;
  /** As `plan`, for a request of 0.9. The header is a view that is valid during the call only. */
  plan09(header: Uint8Array, bodyBytes: number): FramePlan;
  /**
   * After "sendHead": the head, a view that is valid until the next request, and the size of what follows it. Undefined: the body
   * does not hold one.
   */
  planSend09(head: Uint8Array | undefined, framesBytes: number): FramePlan;
  /** A whole request of 0.9, whose header `plan09` had. */
  request09(body: Uint8Array): void;
  /** What arrived is no request of any protocol, and nothing behind it can be read. */
  broken(): void;
}

/** What a connection speaks. */
export type ConnectionFrames = FrameKind | "0.9";

/** Decides on all that has arrived so far. */
export type DetectFrameKind = (bytes: Uint8Array) => DetectedFrameKind;

type State = "detecting" | "header" | "sendHead" | "collecting" | "target" | "discarding" | "stopped";

const collectStepBytes = 64 * 1024;
const nothing: Uint8Array = new Uint8Array(0);

export class FrameParser {
  readonly #sink: FrameSink;
  #state: State;
  #kind: ConnectionFrames = "sdk";
  #header = new Uint8Array(frameHeaderBytes);
  #headerBytes = 0;
  #code = 0;
  #payloadBytes = 0;
  #receivedBytes = 0;
  #collected: Uint8Array = nothing;
  /** Made for the first send of a connection of 0.9. */
  #sendHead: SendHead09 | undefined;
  readonly #backlog: Backlog;
  readonly #detectKind: DetectFrameKind;
  #isPushing = false;
  /** What came while the parser ran. */
  #late: Uint8Array[] | undefined;

  /**
   * `frames`: `auto` decides on the first frame (spec BP 7), with `detect`. `backlog` may hold bytes that have arrived
   * already.
   */
  constructor(
    sink: FrameSink,
    frames: ConnectionFrames | "auto",
    backlog: Backlog = new KeptBacklog(),
    detect: DetectFrameKind = detectFrameKind,
  ) {
    this.#backlog = backlog;
    this.#detectKind = detect;
    this.#sink = sink;
    this.#state = frames === "auto" ? "detecting" : "header";
    if (frames !== "auto") this.#speak(frames);
  }

  /** Bytes that wait because the sink was not ready. */
  get backlogBytes(): number {
    return this.#backlog.sizeBytes;
  }

  /** Kind of the frames, and what waits; undefined in the middle of a frame or before the first. */
  get betweenFrames(): { readonly frames: ConnectionFrames; readonly unread: Uint8Array } | undefined {
    if (this.#state !== "header" || this.#headerBytes > 0 || this.#isPushing) return undefined;
    return { frames: this.#kind, unread: this.#backlog.peek() };
  }

  /** Bytes of a send's payload that are still to come; they may be written to the target directly, see `advance`. */
  get targetBytesMissing(): number {
    return this.#state === "target" ? this.#payloadBytes - this.#receivedBytes : 0;
  }

  /** Position in the target of the next byte. */
  get targetBytesReceived(): number {
    return this.#receivedBytes;
  }

  /** Whether a frame has begun and not ended. */
  get isInsideFrame(): boolean {
    if (this.#headerBytes > 0) return true;
    return this.#state === "sendHead" || this.#state === "collecting" || this.#state === "target";
  }

  /** `count` bytes have been written to the target from elsewhere. */
  advance(count: number): void {
    this.#receivedBytes += count;
    if (this.#receivedBytes === this.#payloadBytes) this.#completeTarget();
  }

  /** Takes the next bytes, which may be kept (not copied). */
  push(bytes: Uint8Array): void {
    if (this.#isPushing) {
      this.#late ??= [];
      this.#late.push(bytes);
      return;
    }
    if (this.#backlog.sizeBytes > 0) {
      this.#backlog.append(bytes);
      // What waits for the sink goes on with `resume`; an undecided first frame waits for nothing but bytes.
      if (this.#state === "detecting") this.resume();
      return;
    }
    const used = this.#run(bytes);
    if (this.#state === "stopped") return;
    if (used < bytes.byteLength) this.#backlog.append(used === 0 ? bytes : bytes.subarray(used));
    if (this.#late !== undefined) this.#takeLate();
  }

  /** Goes on with what waits, if the sink is ready. */
  resume(): void {
    if (this.#isPushing) return;
    const used = this.#run(this.#backlog.peek());
    if (this.#state === "stopped") return;
    if (used > 0) this.#backlog.consume(used);
    if (this.#late !== undefined) this.#takeLate();
  }

  stop(): void {
    this.#state = "stopped";
    this.#backlog.clear();
    this.#collected = nothing;
    this.#late = undefined;
  }

  #takeLate(): void {
    for (const bytes of this.#late ?? []) this.#backlog.append(bytes);
    this.#late = undefined;
    this.resume();
  }

  /** Number of bytes used. The backlog stays as it is meanwhile. */
  #run(bytes: Uint8Array): number {
    this.#isPushing = true;
    let rest = bytes;
    let usedBytes = 0;
    try {
      for (;;) {
        const used = this.#step(rest);
        if (used < 0) break;
        if (used === 0) continue;
        usedBytes += used;
        rest = used === rest.byteLength ? nothing : rest.subarray(used);
      }
    } finally {
      this.#isPushing = false;
    }
    return usedBytes;
  }

  /** Number of bytes used, or -1 when nothing can be done with what is there. */
  #step(bytes: Uint8Array): number {
    switch (this.#state) {
      case "detecting":
        return this.#detect(bytes);
      case "header":
        return this.#kind === "0.9" ? this.#readHeader09(bytes) : this.#readHeader(bytes);
      case "sendHead":
        return this.#readSendHead(bytes);
      case "collecting":
        return this.#collect(bytes);
      case "target":
        return this.#fillTarget(bytes);
      case "discarding":
        return this.#discard(bytes);
      case "stopped":
        return -1;
    }
  }

  #detect(bytes: Uint8Array): number {
    const kind = this.#detectKind(bytes);
    if (kind === "more") return -1;
    if (kind === "broken") return this.#giveUp();
    this.#speak(kind);
    this.#state = "header";
    return 0;
  }

  #speak(kind: ConnectionFrames): void {
    this.#kind = kind;
    if (kind === "0.9") this.#header = new Uint8Array(headerBytes);
  }

  #giveUp(): number {
    this.stop();
    this.#sink.broken();
    return -1;
  }

  #readHeader(bytes: Uint8Array): number {
    const count = Math.min(frameHeaderBytes - this.#headerBytes, bytes.byteLength);
    for (let index = 0; index < count; index++) this.#header[this.#headerBytes + index] = bytes[index]!;
    this.#headerBytes += count;
    if (this.#headerBytes < frameHeaderBytes) return count === 0 ? -1 : count;
    if (!this.#sink.isReady()) return count === 0 ? -1 : count;

    const first = readU32(this.#header, 0);
    const second = readU32(this.#header, 4);
    this.#code = this.#kind === "sdk" ? second : first;
    this.#payloadBytes = this.#kind === "sdk" ? first - sdkLengthOverheadBytes : second;
    const plan = this.#sink.plan(this.#code, this.#payloadBytes);
    if (plan === "wait") return count === 0 ? -1 : count;
    this.#payloadBytes = Math.max(0, this.#payloadBytes); // an announced length below 4 has no payload
    return this.#begin(plan) ? count : -1;
  }

  #readHeader09(bytes: Uint8Array): number {
    const count = Math.min(headerBytes - this.#headerBytes, bytes.byteLength);
    this.#header.set(count === bytes.byteLength ? bytes : bytes.subarray(0, count), this.#headerBytes);
    this.#headerBytes += count;
    if (this.#headerBytes < headerBytes) return count === 0 ? -1 : count;
    if (!this.#sink.isReady()) return count === 0 ? -1 : count;

    const bodyBytes = frameBytesOf(this.#header) - headerBytes;
    // Nothing behind such a frame can be found (spec P9 1.2, 3).
    const hasSize = bodyBytes >= 0 && bodyBytes <= frameBytesMax - headerBytes;
    if (headerCommandOf(this.#header) !== HeaderCommand.request || !hasSize) return this.#giveUp();
    const plan = this.#sink.plan09(this.#header, bodyBytes);
    if (plan === "wait") return count === 0 ? -1 : count;
    this.#code = 0;
    this.#payloadBytes = bodyBytes;
    return this.#begin(plan) ? count : -1;
  }

  /** A payload of `#payloadBytes` begins; false: nothing more is read. */
  #begin(plan: FramePlan): boolean {
    this.#headerBytes = 0;
    this.#receivedBytes = 0;
    switch (plan) {
      case "collect":
        this.#state = "collecting";
        break;
      case "target":
        this.#state = "target";
        break;
      case "sendHead":
        this.#sendHead ??= new SendHead09();
        this.#sendHead.begin(this.#payloadBytes);
        this.#state = "sendHead";
        break;
      case "discard":
        this.#state = "discarding";
        break;
      case "wait":
        break;
      case "stop":
        this.stop();
        return false;
    }
    return true;
  }

  #readSendHead(bytes: Uint8Array): number {
    const head = this.#sendHead!;
    const count = head.take(bytes);
    if (!head.isDone) return count === 0 ? -1 : count;
    const restBytes = this.#payloadBytes - head.sizeBytes;
    const plan = this.#sink.planSend09(head.bytes, restBytes);
    if (plan === "wait") return count === 0 ? -1 : count;
    this.#payloadBytes = restBytes;
    return this.#begin(plan) ? count : -1;
  }

  #collect(bytes: Uint8Array): number {
    const size = this.#payloadBytes;
    if (this.#receivedBytes === 0 && bytes.byteLength >= size) {
      this.#state = "header";
      this.#hand(bytes.subarray(0, size));
      return size;
    }
    const count = Math.min(size - this.#receivedBytes, bytes.byteLength);
    if (count === 0) return -1;
    const end = this.#receivedBytes + count;
    if (end > this.#collected.byteLength) {
      // Grows with what arrives: an announced length takes no memory.
      const grown = new Uint8Array(Math.min(size, Math.max(end, this.#collected.byteLength * 2, collectStepBytes)));
      grown.set(this.#collected.subarray(0, this.#receivedBytes));
      this.#collected = grown;
    }
    this.#collected.set(bytes.subarray(0, count), this.#receivedBytes);
    this.#receivedBytes = end;
    if (end < size) return count;
    const payload = this.#collected.subarray(0, size);
    this.#collected = nothing;
    this.#state = "header";
    this.#hand(payload);
    return count;
  }

  #hand(payload: Uint8Array): void {
    if (this.#kind === "0.9") this.#sink.request09(payload);
    else this.#sink.request(this.#code, payload);
  }

  #fillTarget(bytes: Uint8Array): number {
    const count = Math.min(this.#payloadBytes - this.#receivedBytes, bytes.byteLength);
    if (count === 0 && this.#payloadBytes > 0) return -1;
    const target = this.#sink.target(this.#receivedBytes + count);
    if (target === undefined) return -1;
    const { memory, position } = target;
    const part = count === bytes.byteLength ? bytes : bytes.subarray(0, count);
    memory.set(part, position + this.#receivedBytes);
    this.#receivedBytes += count;
    if (this.#receivedBytes === this.#payloadBytes) this.#completeTarget();
    return count;
  }

  #completeTarget(): void {
    this.#state = "header";
    this.#sink.targetComplete();
  }

  #discard(bytes: Uint8Array): number {
    const count = Math.min(this.#payloadBytes - this.#receivedBytes, bytes.byteLength);
    this.#receivedBytes += count;
    if (this.#receivedBytes >= this.#payloadBytes) {
      this.#state = "header";
      this.#sink.discarded(this.#code);
      return count;
    }
    return count === 0 ? -1 : count;
  }
}
