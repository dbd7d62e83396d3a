// One QUIC connection of a client and its unix connection to the broker, in the sidecar. Requests are taken from the client's
// streams one at a time and sent as they are; replies go to the streams in the order of their requests. Only the bytes at the
// head of each are looked at. Every wait is on the slower side, so nothing piles up here: while the broker takes no
// more no stream is read, and while a client takes no more no reply is read.
//
// A request of up to `collectedBytesMax` is received whole before the broker sees any of it, so that one that is cut short
// costs nobody anything. A larger one is passed on as it comes; if it is cut short the connection has to end, because the
// broker waits for the rest.

import { IggyError } from "../../protocol/errors.ts";
import { encodeErrorFrame, frameHeaderBytes } from "../../protocol/frame.ts";
import { frameBytesOf, headerBytes } from "../../protocol/v09/headers.ts";
import type { ConnectionFrames } from "../frame-parser.ts";
import { BufferPool } from "./buffer-pool.ts";
import type { QuicConnection, QuicStream, UnixConnection } from "./engine.ts";
import { announcedFrame } from "./request-frame.ts";
import { encodePreamble } from "./sidecar-messages.ts";

/** For the last replies of a connection, and for the word that it is closed. */
export const lingerMs = 50;

/** A request of whom nothing was answered yet: any login fits, and whoever never goes on keeps no more. */
const firstBytes = 4 * 1024;
const smallBytes = 64 * 1024;
/** What a read of the engine fills at most. */
const largeBytes = 2 * 1024 * 1024;
export const collectedBytesMax = largeBytes;
/** The system holds about as much of a reply in the unix socket, so that more is never read at once. */
const replyBytes = 256 * 1024;

const firstBuffers = new BufferPool(firstBytes, 64);
const smallBuffers = new BufferPool(smallBytes, 64);
const largeBuffers = new BufferPool(largeBytes, 8);
const replyBuffers = new BufferPool(replyBytes, 16);

const truncatedSend = encodeErrorFrame(new IggyError("QuicError").code);

type StreamReader = ReadableStreamBYOBReader;
type StreamWriter = WritableStreamDefaultWriter<Uint8Array>;

export class Bridge {
  readonly #client: QuicConnection;
  readonly #broker: UnixConnection;
  #frames: ConnectionFrames | "auto";
  /** Streams whose requests are with the broker, oldest first. */
  readonly #awaiting: StreamWriter[] = [];
  #hasAnswered = false;

  constructor(client: QuicConnection, broker: UnixConnection, frames: ConnectionFrames | "auto") {
    this.#client = client;
    this.#broker = broker;
    this.#frames = frames;
  }

  /** Until either side ends; then both are closed. Does not throw. */
  async run(address: string): Promise<void> {
    const ended = this.#client.closed.then(ignore, ignore);
    const requests = writeAll(this.#broker, encodePreamble(address))
      .then(() => this.#forwardRequests())
      .catch(ignore);
    // Whoever ends first ends the rest: an idle time-out, a client that leaves, the broker that closes its side.
    await Promise.race([ended, requests, this.#forwardReplies().catch(ignore)]);
    this.#broker.close();
    // Closing throws away what has not been sent yet, and the last replies may be among it.
    await new Promise((resolve) => setTimeout(resolve, lingerMs));
    this.#client.close({ closeCode: 0, reason: "" });
  }

  async #forwardRequests(): Promise<void> {
    const streams = this.#client.incomingBidirectionalStreams.getReader();
    for (;;) {
      const { value: stream, done } = await streams.read();
      if (done) return;
      await this.#forwardRequest(stream);
    }
  }

  async #forwardRequest(stream: QuicStream): Promise<void> {
    const buffers = this.#hasAnswered ? smallBuffers : firstBuffers;
    const request = new RequestReader(stream.readable.getReader({ mode: "byob" }), buffers);
    const writer = stream.writable.getWriter();
    writer.closed.catch(ignore); // seen where something is written
    try {
      const head = await request.readHead(this.#frames);
      if (head.kind === "broken") {
        await writeAll(this.#broker, request.bytes);
        return;
      }
      if (head.kind !== "frame") {
        finish(writer);
        return;
      }
      this.#frames = head.frames;
      if (head.totalBytes > collectedBytesMax) {
        this.#awaiting.push(writer);
        await this.#passOn(request, head.totalBytes);
      } else if (await request.readUpTo(head.totalBytes)) {
        this.#awaiting.push(writer);
        await writeAll(this.#broker, request.bytes.subarray(0, head.totalBytes));
      } else {
        if (head.isSend) await writer.write(truncatedSend).catch(ignore);
        finish(writer);
        return;
      }
    } finally {
      request.release();
    }
  }

  /** A large request, as it comes. Throws if it ends too early. */
  async #passOn(request: RequestReader, totalBytes: number): Promise<void> {
    let leftBytes = totalBytes;
    for (;;) {
      const part = request.bytes.byteLength > leftBytes ? request.bytes.subarray(0, leftBytes) : request.bytes;
      await writeAll(this.#broker, part);
      leftBytes -= part.byteLength;
      if (leftBytes === 0) return;
      if (!(await request.readAnew(leftBytes))) throw new Error("the request ends before its announced length");
    }
  }

  async #forwardReplies(): Promise<void> {
    const longest = new Uint8Array(headerBytes);
    const view = new DataView(longest.buffer);
    for (;;) {
      if (!(await readAll(this.#broker, longest.subarray(0, frameHeaderBytes)))) return;
      // What the client speaks is known by now: it has asked for something.
      const isLong = this.#frames === "0.9";
      const head = isLong ? longest : longest.subarray(0, frameHeaderBytes);
      if (isLong && !(await readAll(this.#broker, longest.subarray(frameHeaderBytes)))) return;
      const payloadBytes = isLong ? frameBytesOf(head) - headerBytes : view.getUint32(4, true);
      // Without a stream: what a broker that stops tells its clients on other transports (spec BP 2.7).
      const writer = this.#awaiting.shift();
      this.#hasAnswered = true;
      if (payloadBytes === 0) await writer?.write(head).catch(ignore);
      else if (!(await this.#forwardReply(head, payloadBytes, writer))) return;
      if (writer !== undefined) finish(writer);
    }
  }

  /** False: the broker ended in the middle. A client that does not want the reply any more gets the rest thrown away. */
  async #forwardReply(head: Uint8Array, payloadBytes: number, writer: StreamWriter | undefined): Promise<boolean> {
    const pool = payloadBytes + head.byteLength <= smallBytes ? smallBuffers : replyBuffers;
    const buffer = pool.take();
    try {
      buffer.set(head);
      let filledBytes = head.byteLength;
      let leftBytes = payloadBytes;
      let isWanted = writer !== undefined;
      while (leftBytes > 0) {
        const room = buffer.subarray(filledBytes, Math.min(filledBytes + leftBytes, buffer.byteLength));
        const count = await this.#broker.read(room);
        if (count === null) return false;
        leftBytes -= count;
        filledBytes += count;
        if (isWanted) {
          isWanted = await writer!.write(buffer.subarray(0, filledBytes)).then(
            () => true,
            () => false,
          );
        }
        filledBytes = 0;
      }
      return true;
    } finally {
      pool.give(buffer);
    }
  }
}

/** The bytes of one stream. A read of the engine takes the buffer away and gives it back with the result. */
class RequestReader {
  readonly #reader: StreamReader;
  #buffer: Uint8Array<ArrayBuffer>;
  #filledBytes = 0;
  #hasEnded = false;

  /** Begins with a buffer of `buffers`. */
  constructor(reader: StreamReader, buffers: BufferPool) {
    this.#reader = reader;
    this.#buffer = buffers.take();
  }

  /** What has arrived since the start or since `readAnew`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#filledBytes);
  }

  /** Reads until it is known how long the request is; `more` if the stream ends before. */
  async readHead(frames: ConnectionFrames | "auto"): Promise<ReturnType<typeof announcedFrame>> {
    for (;;) {
      const head = announcedFrame(this.bytes, frames);
      if (head.kind !== "more" || !(await this.#read())) return head;
    }
  }

  /** Reads until `totalBytes` are there; false if the stream ends before. */
  async readUpTo(totalBytes: number): Promise<boolean> {
    if (totalBytes > this.#buffer.byteLength) this.#growBuffer(totalBytes <= smallBytes ? smallBuffers : largeBuffers);
    while (this.#filledBytes < totalBytes) if (!(await this.#read())) return false;
    return true;
  }

  /** Reads up to `bytesMax` bytes, a whole buffer at most, in place of the earlier ones; false if the stream ends before. */
  async readAnew(bytesMax: number): Promise<boolean> {
    this.#filledBytes = 0;
    return await this.readUpTo(Math.min(bytesMax, largeBytes));
  }

  /** Nothing more is wanted. The end of the stream is taken note of, so that the client is not told to stop. */
  release(): void {
    this.#giveBuffer();
    this.#buffer = new Uint8Array(0);
    if (!this.#hasEnded) void this.#readEnd();
  }

  async #readEnd(): Promise<void> {
    try {
      const { done } = await this.#reader.read(new Uint8Array(1));
      if (!done) await this.#reader.cancel();
    } catch (error) {
      ignore(error); // the client took the stream back
    }
  }

  #growBuffer(buffers: BufferPool): void {
    const larger = buffers.take();
    larger.set(this.bytes);
    this.#giveBuffer();
    this.#buffer = larger;
  }

  /** To the pool that it is from; the others take no other sizes. */
  #giveBuffer(): void {
    for (const pool of [firstBuffers, smallBuffers, largeBuffers]) pool.give(this.#buffer);
  }

  async #read(): Promise<boolean> {
    const { buffer, byteLength } = this.#buffer;
    const { value, done } = await this.#reader
      .read(new Uint8Array(buffer, this.#filledBytes, byteLength - this.#filledBytes))
      .catch(() => ({ value: undefined, done: true }));
    if (value !== undefined) {
      this.#buffer = new Uint8Array(value.buffer);
      this.#filledBytes += value.byteLength;
    } else {
      this.#buffer = new Uint8Array(0);
    }
    if (done) this.#hasEnded = true;
    return !done;
  }
}

/** Ends the sending side of a stream. */
function finish(writer: StreamWriter): void {
  writer.close().catch(ignore);
}

async function writeAll(connection: UnixConnection, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.byteLength > 0) rest = rest.subarray(await connection.write(rest));
}

/** False: the other side ended. */
async function readAll(connection: UnixConnection, bytes: Uint8Array): Promise<boolean> {
  let filledBytes = 0;
  while (filledBytes < bytes.byteLength) {
    const count = await connection.read(filledBytes === 0 ? bytes : bytes.subarray(filledBytes));
    if (count === null) return false;
    filledBytes += count;
  }
  return true;
}

/** For failures that say only what another wait says too: one side has gone. */
function ignore(_error: unknown): void {}
