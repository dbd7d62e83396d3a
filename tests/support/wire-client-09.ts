// Frames of 0.9 over TCP as they are, for tests: what is sent and what comes back is up to the caller.
import type { Socket } from "bun";
import { frameBytesOf, headerBytes } from "../../src/protocol/v09/headers.ts";

/** Answers come at once, also on a busy machine; this is for those that do not. */
const answerTimeoutMs = 30_000;

export class WireClient09 {
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  /** What came since, joined when it is a whole frame: replies of megabytes come in thousands of pieces. */
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  #unsent = Buffer.alloc(0);
  #isClosed = false;
  #wake: () => void = () => {};

  private constructor() {}

  static async connect(port: number, hostname = "127.0.0.1"): Promise<WireClient09> {
    const client = new WireClient09();
    client.#socket = await Bun.connect({
      hostname,
      port,
      socket: { data: (_, bytes) => client.#take(bytes), drain: () => client.#flush(), close: () => client.#close() },
    });
    return client;
  }

  /** What the socket does not take goes when it has room again. */
  send(bytes: Uint8Array): void {
    this.#unsent = Buffer.concat([this.#unsent, bytes]);
    this.#flush();
  }

  #flush(): void {
    const taken = this.#socket?.write(this.#unsent) ?? 0;
    this.#unsent = this.#unsent.subarray(Math.max(0, taken));
  }

  /** The next frame; "closed" when the server has ended the connection instead. */
  async receive(): Promise<Uint8Array | "closed"> {
    const deadline = performance.now() + answerTimeoutMs;
    for (;;) {
      const frame = this.#takeFrame();
      if (frame !== undefined) return frame;
      if (this.#isClosed) return "closed";
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`no answer within ${answerTimeoutMs} ms`);
      await this.#changed(leftMs);
    }
  }

  /** Sends one frame and waits for the next that comes. */
  async exchange(frame: Uint8Array): Promise<Uint8Array | "closed"> {
    this.send(frame);
    return this.receive();
  }

  close(): void {
    this.#socket?.end();
  }

  #takeFrame(): Uint8Array | undefined {
    if (!this.#has(headerBytes)) return undefined;
    const sizeBytes = frameBytesOf(this.#received);
    if (!this.#has(sizeBytes)) return undefined;
    const frame = new Uint8Array(this.#received.subarray(0, sizeBytes));
    this.#received = this.#received.subarray(sizeBytes);
    return frame;
  }

  #has(wantedBytes: number): boolean {
    if (this.#received.byteLength >= wantedBytes) return true;
    if (this.#received.byteLength + this.#piecesBytes < wantedBytes) return false;
    this.#received = Buffer.concat([this.#received, ...this.#pieces.splice(0)]);
    this.#piecesBytes = 0;
    return true;
  }

  #changed(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #take(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#piecesBytes += bytes.byteLength;
    this.#wake();
  }

  #close(): void {
    this.#isClosed = true;
    this.#wake();
  }
}
