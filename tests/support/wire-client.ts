// A connection of raw bytes, for tests of what the client library would never do: requests in one write, requests that are
// wrong, a reader that does not read. Replies come in order; every wait is bounded.
import { connect, type Socket } from "node:net";
import { ReplyAssembler } from "../../src/client/reply-assembler.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame, type FrameKind } from "../../src/protocol/frame.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";

export interface WireReply {
  readonly status: number;
  readonly payload: Uint8Array;
}

const defaultTimeoutMs = 10_000;

export class WireClient {
  readonly #socket: Socket;
  readonly #frames: FrameKind;
  readonly #replies: WireReply[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #wake: (() => void) | undefined;
  #hasEnded = false;

  private constructor(socket: Socket, frames: FrameKind) {
    this.#socket = socket;
    this.#frames = frames;
    const assembler = new ReplyAssembler((status, payload) => {
      this.#replies.push({ status, payload });
      this.#wake?.();
    });
    const end = () => {
      this.#hasEnded = true;
      this.#ended.resolve();
      this.#wake?.();
    };
    socket.on("data", (bytes: Uint8Array) => assembler.push(bytes));
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", end);
  }

  static async connect(
    { host, port }: { readonly host: string; readonly port: number },
    frames: FrameKind = "sdk",
  ): Promise<WireClient> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ host, port, noDelay: true }, resolve);
    socket.once("error", reject);
    await promise;
    return new WireClient(socket, frames);
  }

  /** This end's `ip:port`, as the server names its clients. */
  get address(): string {
    return `${this.#socket.localAddress}:${this.#socket.localPort}`;
  }

  /** The server has ended the connection. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whole replies that nobody has taken yet. */
  get waitingReplies(): number {
    return this.#replies.length;
  }

  frame(code: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
    return encodeRequestFrame(code, payload, this.#frames);
  }

  /** Sends the bytes as they are, in one write. */
  write(...parts: readonly Uint8Array[]): void {
    this.#socket.write(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  }

  /** The next reply; undefined when the connection ended before it. */
  async receive(timeoutMs = defaultTimeoutMs): Promise<WireReply | undefined> {
    const deadlineMs = performance.now() + timeoutMs;
    while (this.#replies.length === 0 && !this.#hasEnded) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw new Error(`no reply within ${timeoutMs} ms`);
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, Bun.sleep(leftMs)]);
    }
    return this.#replies.shift();
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
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** Resolves when the server has ended the connection. */
  async ended(timeoutMs = defaultTimeoutMs): Promise<void> {
    const inTime = await Promise.race([this.#ended.promise.then(() => true), Bun.sleep(timeoutMs).then(() => false)]);
    if (!inTime) throw new Error(`the server did not end the connection within ${timeoutMs} ms`);
  }

  close(): void {
    this.#socket.destroy();
  }
}
