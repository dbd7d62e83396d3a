// A client of 0.9 that asks for much and reads it late, for the test of what unread replies cost.
import {
  frameBytesOf,
  HeaderCommand,
  headerBytes,
  headerCommandOf,
  ReplyHeaderLayout,
} from "../../src/protocol/v09/headers.ts";
import { Operation } from "../../src/protocol/v09/operations.ts";
import { requestFrame } from "../protocol/v09/support.ts";
import { openWire, type Wire, type WireOptions } from "../support/wire-client.ts";

const answerTimeoutMs = 60_000;
const text = new TextEncoder();
const loginTexts = ["test-sdk", "1.0", "iggy", "iggy"].map((value) => [value.length, ...text.encode(value)]);
const loginBody = Uint8Array.from([0, 0x2c, 0, 0, ...loginTexts.flat(), 0, 0, 0, 0]);
const login = requestFrame({ operation: Operation.register, body: loginBody });

/** A request for this command code in a session. */
export function readRequest09(code: number, body: Uint8Array): Uint8Array {
  return requestFrame({ operation: Operation.nonReplicated, code, session: 1n, body });
}

export class UnreadClient09 {
  #wire: Wire | undefined;
  #head = Buffer.alloc(0);
  #receivedBytes = 0;
  #wake: () => void = () => {};

  /** Logged in; reads nothing more before `readReply`. */
  static async connect(place: { readonly host: string; readonly port: number }, options: WireOptions) {
    const client = new UnreadClient09();
    const onBytes = (bytes: Uint8Array) => client.#take(bytes);
    client.#wire = await openWire(place, options, { onBytes, onEnd: () => client.#wake() });
    client.write(login);
    await client.readReply();
    client.#wire.pause();
    return client;
  }

  write(bytes: Uint8Array): void {
    this.#wire?.write(bytes);
  }

  close(): void {
    this.#wire?.destroy();
  }

  /** Reads the next reply, of which only the header is kept; its size. Throws unless it is a success. */
  async readReply(): Promise<number> {
    this.#wire?.resume();
    const giveUpMs = performance.now() + answerTimeoutMs;
    while (this.#head.byteLength < headerBytes || this.#receivedBytes < frameBytesOf(this.#head)) {
      if (performance.now() > giveUpMs) throw new Error(`only ${this.#receivedBytes} bytes of a reply`);
      const changed = Promise.withResolvers<void>();
      this.#wake = changed.resolve;
      await Promise.race([changed.promise, Bun.sleep(1000)]);
    }
    const status = this.#head.readUInt32LE(ReplyHeaderLayout.status);
    if (headerCommandOf(this.#head) !== HeaderCommand.reply || status !== 0) throw new Error(`status ${status}`);
    const sizeBytes = frameBytesOf(this.#head);
    this.#head = Buffer.alloc(0);
    this.#receivedBytes = 0;
    return sizeBytes;
  }

  #take(bytes: Uint8Array): void {
    if (this.#head.byteLength < headerBytes) this.#head = Buffer.concat([this.#head, bytes]);
    this.#receivedBytes += bytes.byteLength;
    this.#wake();
  }
}
