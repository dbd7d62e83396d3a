// A client without manners: it sends whatever bytes it is given, at whatever pace, and reads what comes back as reply frames.
import type { Socket } from "bun";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame, frameHeaderBytes } from "../../src/protocol/frame.ts";
import { loginUserRequestCodec } from "../../src/protocol/user/login-user.ts";

/**
 * For what never comes; a busy machine takes its time. Shorter than the time that a test has: one that runs out of time ends
 * every child process, the server too.
 */
const waitTimeoutMs = 60_000;

export const loginFrame = encodeRequestFrame(
  CommandCode.loginUser,
  encode(loginUserRequestCodec, { username: "iggy", password: "iggy", version: "", context: "" }),
);

export interface RawReply {
  readonly status: number;
  readonly payload: Uint8Array;
}

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
}

const open = new Set<RawClient>();

/** Closes what a test left open. */
export function closeRawClients(): void {
  for (const client of [...open]) client.close();
}

export class RawClient {
  /** Whole replies, oldest first; `take` removes them. */
  readonly replies: RawReply[] = [];
  /** Replies that only carry a status, when `countsOnly`: by status. */
  readonly counts = new Map<number, number>();
  isClosed = false;
  readonly #countsOnly: boolean;
  #socket: Socket<undefined> | undefined;
  #partial: Uint8Array = new Uint8Array(0);
  #unsent: Uint8Array[] = [];
  #waiters: Waiter[] = [];
  #repliesCount = 0;
  #receivedBytes = 0;
  #stopsAtNext = false;

  private constructor(countsOnly: boolean) {
    this.#countsOnly = countsOnly;
  }

  static async connect(port: number, { countsOnly = false } = {}): Promise<RawClient> {
    const client = new RawClient(countsOnly);
    client.#socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      data: undefined,
      socket: {
        data: (_socket, bytes) => client.#receive(bytes),
        drain: () => client.#flush(),
        close: () => client.#ended(),
        error: () => client.#ended(),
      },
    });
    open.add(client);
    return client;
  }

  static async connectLoggedIn(port: number, options = {}): Promise<RawClient> {
    const client = await RawClient.connect(port, options);
    client.write(loginFrame);
    await client.repliesReach(1);
    client.replies.length = 0;
    return client;
  }

  get repliesCount(): number {
    return this.#repliesCount;
  }

  write(bytes: Uint8Array): void {
    this.#unsent.push(bytes);
    this.#flush();
  }

  /** Waits until `count` more replies have come and removes them. */
  async take(count: number): Promise<RawReply[]> {
    await this.#until(() => this.replies.length >= count || this.isClosed, `${count} replies`);
    if (this.replies.length < count) throw new Error(`closed after ${this.replies.length} of ${count} replies`);
    return this.replies.splice(0, count);
  }

  /** One request and its reply. */
  async exchange(code: number, payload: Uint8Array): Promise<RawReply> {
    this.write(encodeRequestFrame(code, payload));
    return (await this.take(1))[0]!;
  }

  async repliesReach(count: number): Promise<void> {
    await this.#until(() => this.#repliesCount >= count || this.isClosed, `${count} replies`);
  }

  async sent(): Promise<void> {
    await this.#until(() => this.#unsent.length === 0 || this.isClosed, "everything is sent");
  }

  async closed(): Promise<void> {
    await this.#until(() => this.isClosed, "the end of the connection");
  }

  readAgain(): void {
    this.#stopsAtNext = false;
    this.#socket?.resume();
  }

  /** Reads nothing from now on. */
  stopReading(): void {
    this.#socket?.pause();
  }

  /** Reads nothing behind the first bytes that come, and waits for them: the server has begun with its answer then. */
  async stopReadingAtNext(): Promise<void> {
    this.#stopsAtNext = true;
    const before = this.#receivedBytes;
    await this.#until(() => this.#receivedBytes > before || this.isClosed, "the first bytes of a reply");
  }

  close(): void {
    this.#socket?.terminate();
    this.#ended();
  }

  #flush(): void {
    for (;;) {
      const bytes = this.#unsent[0];
      if (bytes === undefined || this.isClosed || this.#socket === undefined) break;
      const taken = Math.max(0, this.#socket.write(bytes));
      if (taken < bytes.byteLength) {
        this.#unsent[0] = bytes.subarray(taken);
        break;
      }
      this.#unsent.shift();
    }
    this.#wake();
  }

  #receive(chunk: Uint8Array): void {
    this.#receivedBytes += chunk.byteLength;
    if (this.#stopsAtNext) this.#socket?.pause();
    let bytes = chunk;
    if (this.#partial.byteLength > 0) {
      bytes = new Uint8Array(this.#partial.byteLength + chunk.byteLength);
      bytes.set(this.#partial);
      bytes.set(chunk, this.#partial.byteLength);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let position = 0;
    while (bytes.byteLength - position >= frameHeaderBytes) {
      const status = view.getUint32(position, true);
      const end = position + frameHeaderBytes + view.getUint32(position + 4, true);
      if (end > bytes.byteLength) break;
      this.#repliesCount++;
      if (this.#countsOnly) this.counts.set(status, (this.counts.get(status) ?? 0) + 1);
      else this.replies.push({ status, payload: bytes.slice(position + frameHeaderBytes, end) });
      position = end;
    }
    this.#partial = bytes.slice(position);
    this.#wake();
  }

  #ended(): void {
    this.isClosed = true;
    open.delete(this);
    this.#wake();
  }

  #wake(): void {
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!waiter.isMet()) return true;
      waiter.resolve();
      return false;
    });
  }

  async #until(isMet: () => boolean, what: string): Promise<void> {
    if (isMet()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      reject(
        new Error(`waited ${waitTimeoutMs} ms for ${what}; ${this.#repliesCount} replies, closed: ${this.isClosed}`),
      );
    }, waitTimeoutMs);
    this.#waiters.push({ isMet, resolve });
    await promise.finally(() => clearTimeout(timer));
  }
}
