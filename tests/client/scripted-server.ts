// A TCP server that does what a test tells it: it cuts the incoming bytes into SDK or page frames and hands each request
// to the script, which answers when and how it wants.

import type { Socket, TCPSocketListener } from "bun";
import { ByteWriter } from "../../src/protocol/byte-writer.ts";
import { decodeRequestHead, encodeErrorFrame, encodeReplyFrame, type FrameKind } from "../../src/protocol/frame.ts";

export type ScriptedRequest = {
  readonly code: number;
  readonly payload: Uint8Array;
  /** 0 for the first connection. */
  readonly connectionIndex: number;
  /** Writes all bytes, also those that the socket does not take at once. */
  write(bytes: Uint8Array): void;
  reply(payload?: Uint8Array): void;
  refuse(code: number): void;
  /** Cuts the connection. */
  cut(): void;
};

export type Script = (request: ScriptedRequest) => void;

type ConnectionState = {
  readonly index: number;
  received: Buffer[];
  receivedBytes: number;
  unsent: Buffer;
};

export type ScriptedServer = {
  readonly port: number;
  readonly requests: ScriptedRequest[];
  /** Accepted so far. */
  connectionsCount: number;
  openConnectionsCount: number;
  stop(): void;
};

const noBytes = Buffer.alloc(0);

/** Starts on a free port, or on `port`. `frames` is how the requests are cut. */
export function startScriptedServer(script: Script, frames: FrameKind = "sdk", port = 0): ScriptedServer {
  const requests: ScriptedRequest[] = [];

  function send(socket: Socket<ConnectionState>, bytes: Uint8Array): void {
    socket.data.unsent = Buffer.concat([socket.data.unsent, bytes]);
    drain(socket);
  }

  function drain(socket: Socket<ConnectionState>): void {
    const { unsent } = socket.data;
    if (unsent.length > 0) socket.data.unsent = unsent.subarray(Math.max(0, socket.write(unsent)));
  }

  function requestOf(socket: Socket<ConnectionState>, code: number, payload: Uint8Array): ScriptedRequest {
    return {
      code,
      payload,
      connectionIndex: socket.data.index,
      write: (bytes) => send(socket, bytes),
      reply: (reply = noBytes) => send(socket, encodeReplyFrame(reply)),
      refuse: (status) => send(socket, encodeErrorFrame(status)),
      cut: () => socket.terminate(),
    };
  }

  const listener: TCPSocketListener<ConnectionState> = Bun.listen<ConnectionState>({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(socket) {
        socket.data = { index: server.connectionsCount++, received: [], receivedBytes: 0, unsent: noBytes };
        server.openConnectionsCount++;
      },
      close() {
        server.openConnectionsCount--;
      },
      drain,
      data(socket, chunk) {
        const state = socket.data;
        state.received.push(Buffer.from(chunk));
        state.receivedBytes += chunk.length;
        for (;;) {
          if (state.receivedBytes < 8) return;
          if (state.received[0]!.length < 8) state.received = [Buffer.concat(state.received)];
          const { code, payloadBytes } = decodeRequestHead(state.received[0]!, frames);
          if (state.receivedBytes < 8 + payloadBytes) return;
          const joined = Buffer.concat(state.received);
          state.received = [joined.subarray(8 + payloadBytes)];
          state.receivedBytes -= 8 + payloadBytes;
          const request = requestOf(socket, code, joined.subarray(8, 8 + payloadBytes));
          requests.push(request);
          script(request);
        }
      },
    },
  });
  const server: ScriptedServer = {
    port: listener.port,
    requests,
    connectionsCount: 0,
    openConnectionsCount: 0,
    stop: () => listener.stop(true),
  };
  return server;
}

/** Reply payload of a login. */
export function userIdReply(userId: number): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(userId);
  return writer.finish();
}

/** Resolves when `condition` holds; rejects after a minute, which is for what never happens. */
export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error("the condition did not become true");
    await Bun.sleep(1);
  }
}

/** The error that a promise rejects with; fails if it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("the promise resolved");
    },
    (error: unknown) => error,
  );
}
