// How much memory the sidecar takes for a request before it knows whose it is.
import { expect, test } from "bun:test";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { Bridge } from "../../src/transport/quic/bridge.ts";
import type { QuicConnection, QuicStream, UnixConnection } from "../../src/transport/quic/engine.ts";
import { preambleBytes } from "../../src/transport/quic/sidecar-messages.ts";

const okReply = new Uint8Array(8);

/** A client and a broker that the test plays. */
function start() {
  const reads: number[] = [];
  const taken: Uint8Array[] = [];
  const replies = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let streams: ReadableStreamDefaultController<QuicStream> | undefined;
  const client: QuicConnection = {
    remoteAddr: { hostname: "127.0.0.1", port: 1 },
    incomingBidirectionalStreams: new ReadableStream({
      start: (controller) => {
        streams = controller;
      },
    }),
    closed: ended.promise,
    close: () => undefined,
  };
  let repliesLeft = 1;
  const broker: UnixConnection = {
    async read(bytes) {
      await replies.promise;
      if (repliesLeft-- <= 0) return await new Promise(() => undefined);
      bytes.set(okReply);
      return okReply.byteLength;
    },
    async write(bytes) {
      taken.push(bytes.slice());
      return bytes.byteLength;
    },
    close: () => undefined,
  };
  /** A stream that gives `bytes` as they are asked for; how much room each read offers is noted in `reads`. */
  const send = (bytes: Uint8Array, isWhole = true) => {
    const answered = Promise.withResolvers<void>();
    let sentBytes = 0;
    const reader = {
      read: async (view: Uint8Array<ArrayBuffer>) => {
        const part = bytes.subarray(sentBytes, sentBytes + view.byteLength);
        if (part.byteLength === 0) {
          if (!isWhole) await new Promise(() => undefined);
          return { value: undefined, done: true };
        }
        reads.push(view.byteLength);
        sentBytes += part.byteLength;
        view.set(part);
        return { value: view.subarray(0, part.byteLength), done: false };
      },
      cancel: async () => undefined,
    };
    const readable = { getReader: () => reader } as unknown as QuicStream["readable"];
    streams?.enqueue({ readable, writable: new WritableStream({ close: () => answered.resolve() }) });
    return answered.promise;
  };
  const over = new Bridge(client, broker, "auto").run("127.0.0.1:1");
  const received = () => Buffer.concat(taken).subarray(preambleBytes);
  /** The broker answers when it has a request of as many bytes. */
  const answer = async (requestBytes: number) => {
    while (received().byteLength < requestBytes) await Bun.sleep(1);
    replies.resolve();
  };
  const close = async () => {
    ended.resolve();
    await over;
  };
  return { send, reads, received, answer, close };
}

test("4 KiB for the first request of a client, 64 KiB when the broker has answered one", async () => {
  const { send, reads, received, answer, close } = start();
  const ping = encodeRequestFrame(CommandCode.ping, new Uint8Array(0), "sdk");
  const isAnswered = send(ping);
  await answer(ping.byteLength);
  await isAnswered;
  void send(ping.subarray(0, 3), false);
  while (reads.length < 2) await Bun.sleep(1);
  expect(reads).toEqual([4096, 65_536]);
  expect(received()).toEqual(Buffer.from(ping));
  await close();
});

test.each([4096, 4097, 65_536, 65_537, 200_000])("a first request of %d bytes arrives as it is", async (sizeBytes) => {
  const { send, received, answer, close } = start();
  const headBytes = encodeRequestFrame(CommandCode.createUser, new Uint8Array(0), "sdk").byteLength;
  const payload = Uint8Array.from({ length: sizeBytes - headBytes }, (_, index) => index * 31);
  const frame = encodeRequestFrame(CommandCode.createUser, payload, "sdk");
  expect(frame.byteLength).toBe(sizeBytes);
  const isAnswered = send(frame);
  await answer(frame.byteLength);
  await isAnswered;
  expect(received().equals(frame)).toBe(true);
  await close();
});
