// A connection of raw bytes, for tests of what the client library would never do: requests in one write, requests that are
// wrong, a reader that does not read. Replies come in order; every wait is bounded.
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { ReplyAssembler } from "../../src/client/connection/reply-assembler.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame, type FrameKind } from "../../src/protocol/frame.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { Opcode, RawWebSocket } from "./raw-websocket.ts";

export interface WireReply {
  readonly status: number;
  readonly payload: Uint8Array;
}

/** What carries the bytes. */
export interface Wire {
  /** This end's `ip:port`. */
  readonly address: string;
  write(bytes: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** Ends the sending side; replies still come. */
  end(): void;
  destroy(): void;
}

export interface WireEvents {
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly onEnd: () => void;
}

export interface WireOptions {
  /** `tcp` if not given. */
  readonly transport?: "tcp" | "websocket";
  /** This end's address; any if not given. Plain TCP only. */
  readonly localAddress?: string;
  /** Certificate that is trusted, PEM; undefined: no TLS. */
  readonly ca?: string;
}

type Place = { readonly host: string; readonly port: number };

const defaultTimeoutMs = 60_000;

async function openTcp({ host, port }: Place, options: WireOptions, events: WireEvents): Promise<Wire> {
  const { ca, localAddress } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket =
    ca === undefined
      ? connect({ host, port, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) }, resolve)
      : connectTls({ host, port, ca }, resolve);
  socket.once("error", reject);
  await promise;
  socket.on("data", events.onBytes);
  for (const event of ["end", "close", "error"]) socket.on(event, events.onEnd);
  return {
    address: `${socket.localAddress}:${socket.localPort}`,
    write: (bytes) => socket.write(bytes),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  };
}

async function openWebSocket(place: Place, { ca }: WireOptions, events: WireEvents): Promise<Wire> {
  const socket = await RawWebSocket.connect({ ...place, ...(ca === undefined ? {} : { ca }) });
  socket.onFrame = ({ opcode, payload }) => {
    if (opcode === Opcode.binary) events.onBytes(payload);
  };
  void socket.ended.then(events.onEnd);
  return {
    address: socket.address,
    write: (bytes) => socket.sendBinary(bytes),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => {
      throw new Error("a WebSocket has no sending side of its own");
    },
    destroy: () => socket.destroy(),
  };
}

/** Connects, without a word of any protocol. */
export function openWire(place: Place, options: WireOptions, events: WireEvents): Promise<Wire> {
  return (options.transport === "websocket" ? openWebSocket : openTcp)(place, options, events);
}

export class WireClient {
  readonly #wire: Wire;
  readonly #frames: FrameKind;
  readonly #inbox: Inbox;

  private constructor(wire: Wire, frames: FrameKind, inbox: Inbox) {
    this.#wire = wire;
    this.#frames = frames;
    this.#inbox = inbox;
  }

  static async connect(place: Place, frames: FrameKind = "sdk", options: WireOptions = {}): Promise<WireClient> {
    const inbox = new Inbox();
    const assembler = new ReplyAssembler((status, payload) => inbox.add({ status, payload }));
    const events = { onBytes: (bytes: Uint8Array) => assembler.push(bytes), onEnd: () => inbox.end() };
    return new WireClient(await openWire(place, options, events), frames, inbox);
  }

  /** This end's `ip:port`, as the server names its clients. */
  get address(): string {
    return this.#wire.address;
  }

  /** The server has ended the connection. */
  get hasEnded(): boolean {
    return this.#inbox.hasEnded;
  }

  /** Whole replies that nobody has taken yet. */
  get waitingReplies(): number {
    return this.#inbox.replies.length;
  }

  frame(code: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
    return encodeRequestFrame(code, payload, this.#frames);
  }

  /** Sends the bytes as they are, in one write: over WebSocket in one message. */
  write(...parts: readonly Uint8Array[]): void {
    this.#wire.write(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  }

  /** The next reply; undefined when the connection ended before it. */
  async receive(timeoutMs = defaultTimeoutMs): Promise<WireReply | undefined> {
    const { replies } = this.#inbox;
    const deadlineMs = performance.now() + timeoutMs;
    while (replies.length === 0 && !this.hasEnded) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw new Error(`no reply within ${timeoutMs} ms`);
      await Promise.race([this.#inbox.next(), Bun.sleep(leftMs)]);
    }
    return replies.shift();
  }

  async receiveMany(count: number, timeoutMs = defaultTimeoutMs): Promise<WireReply[]> {
    const replies: WireReply[] = [];
    for (let index = 0; index < count; index++) {
      const reply = await this.receive(timeoutMs);
      if (reply === undefined) throw new Error(`the connection ended after ${index} of ${count} replies`);
      replies.push(reply);
    }
    return replies;
  }

  async request(code: number, payload: Uint8Array = new Uint8Array(0)): Promise<WireReply> {
    this.write(this.frame(code, payload));
    return (await this.receiveMany(1))[0]!;
  }

  /** Logs in; throws unless that succeeds. */
  async login(username = "iggy", password = "iggy"): Promise<void> {
    const request = { username, password, version: undefined, context: undefined };
    const { status } = await this.request(CommandCode.loginUser, encode(commandCodecs.loginUser.request, request));
    if (status !== 0) throw new Error(`the login was answered with ${status}`);
  }

  /** Stops taking bytes from the socket until `resumeReading`. */
  pauseReading(): void {
    this.#wire.pause();
  }

  resumeReading(): void {
    this.#wire.resume();
  }

  /** Nothing more is sent; replies still come. */
  endSending(): void {
    this.#wire.end();
  }

  /** Resolves when the server has ended the connection. */
  async ended(timeoutMs = defaultTimeoutMs): Promise<void> {
    const inTime = await Promise.race([this.#inbox.ended.then(() => true), Bun.sleep(timeoutMs).then(() => false)]);
    if (!inTime) throw new Error(`the server did not end the connection within ${timeoutMs} ms`);
  }

  close(): void {
    this.#wire.destroy();
  }
}

/** Whole replies in order, and who waits for the next. */
class Inbox {
  readonly replies: WireReply[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #wake: (() => void) | undefined;
  hasEnded = false;

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  add(reply: WireReply): void {
    this.replies.push(reply);
    this.#wake?.();
  }

  end(): void {
    this.hasEnded = true;
    this.#ended.resolve();
    this.#wake?.();
  }

  /** Resolves with the next change. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
