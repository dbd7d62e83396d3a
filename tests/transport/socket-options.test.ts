// The options of [tcp.socket], read back from the system: of one socket in this process, and of the server's sockets as `ss`
// shows them.
import { ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { descriptorOf, native } from "../../src/platform/ffi.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { applySocketOptions, SocketOption } from "../../src/transport/tcp/socket-options.ts";
import { useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();

function read(fd: number, [level, name]: readonly [number, number]): number[] {
  const value = new Int32Array(2);
  const size = Uint32Array.of(value.byteLength);
  expect(native?.getsockopt(fd, level, name, ptr(value), ptr(size))).toBe(0);
  return [...value.subarray(0, size[0]! / Int32Array.BYTES_PER_ELEMENT)];
}

async function acceptedSocket(use: (socket: Bun.Socket) => void): Promise<void> {
  const done = Promise.withResolvers<void>();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data() {},
      open(socket) {
        try {
          use(socket);
          done.resolve();
        } catch (error) {
          done.reject(error);
        }
      },
    },
  });
  const client = await Bun.connect({ hostname: "127.0.0.1", port: listener.port, socket: { data() {} } });
  await done.promise;
  client.end();
  listener.stop(true);
}

test("every option is set as configured", async () => {
  await acceptedSocket((socket) => {
    const fd = descriptorOf(socket);
    applySocketOptions(socket, {
      recvBufferSizeBytes: 100_000,
      sendBufferSizeBytes: 50_000,
      keepalive: true,
      nodelay: false,
      lingerMicros: 3_000_000,
    });
    // Linux keeps twice the size, for its own records.
    expect(read(fd, SocketOption.receiveBuffer)).toEqual([200_000]);
    expect(read(fd, SocketOption.sendBuffer)).toEqual([100_000]);
    expect(read(fd, SocketOption.keepalive)).toEqual([1]);
    expect(read(fd, SocketOption.nodelay)).toEqual([0]);
    expect(read(fd, SocketOption.linger)).toEqual([1, 3]);
    applySocketOptions(socket, {
      recvBufferSizeBytes: 100_000,
      sendBufferSizeBytes: 50_000,
      keepalive: false,
      nodelay: true,
      lingerMicros: 0,
    });
    expect(read(fd, SocketOption.keepalive)).toEqual([0]);
    expect(read(fd, SocketOption.nodelay)).toEqual([1]);
    expect(read(fd, SocketOption.linger)).toEqual([1, 0]);
  });
});

const hasSs = Bun.which("ss") !== null;

async function serverSocket(env: Record<string, string>): Promise<string> {
  const server = await servers.start({ env });
  const client = await WireClient.connect(server);
  await client.login();
  const sockets = await Bun.$`ss -tnmoi ${`sport = :${server.port}`}`.text();
  client.close();
  await server.stop();
  return sockets.replaceAll("\n\t", " ");
}

test.if(hasSs)("the server's connections have the configured options", async () => {
  const sockets = await serverSocket({
    IGGY_TCP_SOCKET_OVERRIDE_DEFAULTS: "true",
    IGGY_TCP_SOCKET_RECV_BUFFER_SIZE: "60 KB",
    IGGY_TCP_SOCKET_SEND_BUFFER_SIZE: "70 KB",
    IGGY_TCP_SOCKET_KEEPALIVE: "true",
  });
  expect(sockets).toContain("rb120000,");
  expect(sockets).toContain("tb140000,");
  expect(sockets).toContain("timer:(keepalive");
});

test.if(hasSs)("without override_defaults the other keys change nothing", async () => {
  const sockets = await serverSocket({
    IGGY_TCP_SOCKET_RECV_BUFFER_SIZE: "60 KB",
    IGGY_TCP_SOCKET_SEND_BUFFER_SIZE: "70 KB",
    IGGY_TCP_SOCKET_KEEPALIVE: "true",
  });
  expect(sockets).toContain("ESTAB");
  expect(sockets).not.toContain("rb120000,");
  expect(sockets).not.toContain("tb140000,");
  expect(sockets).not.toContain("timer:(keepalive");
});

test("a request in pieces is acknowledged piece by piece: Nagle's algorithm holds nothing up", async () => {
  const server = await servers.start();
  let replyBytes = 0;
  let onReply = () => {};
  const socket = await Bun.connect({
    hostname: server.host,
    port: server.port,
    socket: {
      data(_socket, bytes) {
        replyBytes += bytes.byteLength;
        if (replyBytes % 8 === 0) onReply();
      },
    },
  });
  socket.setNoDelay(false);
  const ping = encodeRequestFrame(CommandCode.ping, new Uint8Array(0), "sdk");
  const exchange = async () => {
    const startMs = performance.now();
    const replied = new Promise<void>((resolve) => {
      onReply = resolve;
    });
    socket.write(ping.subarray(0, 2));
    socket.write(ping.subarray(2, 4));
    socket.write(ping.subarray(4));
    await replied;
    return performance.now() - startMs;
  };
  const timesMs: number[] = [];
  for (let round = 0; round < 100; round++) timesMs.push(await exchange());
  // 40 ms each otherwise, but for the first few; a busy machine may hold some up.
  expect(timesMs.filter((timeMs) => timeMs < 35).length).toBeGreaterThan(50);
  socket.end();
  await server.stop();
});
