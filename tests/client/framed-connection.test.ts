import { afterEach, describe, expect, test } from "bun:test";
import { type Connection, ConnectionLostError } from "../../src/client/index.bun.ts";
import { bunTcpTransport } from "../../src/client/transports/tcp-bun.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { encodeErrorFrame, encodeReplyFrame } from "../../src/protocol/frame.ts";
import { rejection, type Script, type ScriptedServer, startScriptedServer, until } from "./scripted-server.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function serve(script: Script): ScriptedServer {
  const server = startScriptedServer(script);
  cleanups.push(() => server.stop());
  return server;
}

function open(port: number, host = "127.0.0.1"): Promise<Connection> {
  return bunTcpTransport.open({ host, port, connectTimeoutMs: 10_000 });
}

async function connect(server: ScriptedServer): Promise<Connection> {
  const connection = await open(server.port);
  cleanups.push(() => connection.close());
  return connection;
}

function patterned(sizeBytes: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let index = 0; index < sizeBytes; index++) bytes[index] = (index * 31 + (index >> 8) + seed) & 0xff;
  return bytes;
}

const noBytes = new Uint8Array(0);

describe("requests and replies", () => {
  test("a request arrives as it was made, and the reply comes back", async () => {
    const server = serve((request) => request.reply(request.payload));
    const connection = await connect(server);
    expect(await connection.request(7, Uint8Array.of(1, 2, 3))).toEqual(Uint8Array.of(1, 2, 3));
    expect(server.requests[0]?.code).toBe(7);
  });

  test("a payload in parts arrives joined, whatever the sizes of the parts", async () => {
    const server = serve((request) => request.reply(request.payload));
    const connection = await connect(server);
    for (const sizes of [
      [],
      [0],
      [1, 0, 2],
      [16 * 1024 - 8, 1],
      [10, 50_000, 3, 20_000],
      [100_000],
      [16_383, 16_384],
    ]) {
      const parts = sizes.map((sizeBytes, index) => patterned(sizeBytes, index));
      const reply = await connection.request(1, parts);
      expect(Buffer.compare(reply, Buffer.concat(parts))).toBe(0);
    }
  });

  test("an error reply rejects with the error of its status", async () => {
    const server = serve((request) => request.refuse(1009));
    const connection = await connect(server);
    const error = await rejection(connection.request(200, noBytes));
    expect(error).toBeInstanceOf(IggyError);
    expect(error).toMatchObject({ errorName: "StreamIdNotFound", code: 1009 });
  });

  test("an error reply with a text is skipped to its end", async () => {
    const server = serve((request) => {
      if (request.code === 2) return request.reply(Uint8Array.of(2));
      const frame = encodeReplyFrame(Buffer.from("some text"));
      frame.set(encodeErrorFrame(3).subarray(0, 4));
      request.write(frame);
    });
    const connection = await connect(server);
    expect(await rejection(connection.request(1, noBytes))).toMatchObject({ errorName: "InvalidCommand" });
    expect(await connection.request(2, noBytes)).toEqual(Uint8Array.of(2));
  });
});

describe("pipelining", () => {
  test("requests made together are all sent before the first reply, and replies are matched by order", async () => {
    const waiting: (() => void)[] = [];
    const server = serve((request) => waiting.push(() => request.reply(request.payload)));
    const connection = await connect(server);
    const replies = Array.from({ length: 3000 }, (_, index) =>
      connection.request(1, new Uint8Array(Uint32Array.of(index).buffer)),
    );
    await until(() => server.requests.length === 3000);
    expect(connection.inFlightCount).toBe(3000);
    for (const answer of waiting) answer();
    const numbers = (await Promise.all(replies)).map((reply) => Buffer.from(reply).readUInt32LE());
    expect(numbers).toEqual(Array.from({ length: 3000 }, (_, index) => index));
    expect(connection.inFlightCount).toBe(0);
  });

  test("an error in between rejects only its own request", async () => {
    const server = serve((request) => (request.code === 2 ? request.refuse(40) : request.reply(request.payload)));
    const connection = await connect(server);
    const results = await Promise.allSettled([1, 2, 3].map((code) => connection.request(code, Uint8Array.of(code))));
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  test("many megabytes each way arrive unharmed although the socket takes them in parts", async () => {
    const server = serve((request) => request.reply(request.payload));
    const connection = await connect(server);
    const large = patterned(12_000_000, 1);
    const small = patterned(100, 2);
    const replies = await Promise.all([
      connection.request(1, large),
      connection.request(1, small),
      connection.request(1, [small, large]),
    ]);
    expect(replies.map((reply) => Buffer.compare(reply, large))[0]).toBe(0);
    expect(replies[1]).toEqual(small);
    expect(Buffer.compare(replies[2]!, Buffer.concat([small, large]))).toBe(0);
  });
});

describe("the end of a connection", () => {
  test("everything in flight rejects with Disconnected, also what is asked afterwards", async () => {
    const server = serve((request) => {
      if (server.requests.length === 3) request.cut();
    });
    const connection = await connect(server);
    const errors = await Promise.all([1, 2, 3].map((code) => rejection(connection.request(code, noBytes))));
    for (const error of errors) expect(error).toMatchObject({ errorName: "Disconnected", requestSent: true });
    await connection.closed;
    expect(connection.isClosed).toBe(true);
    const late = await rejection(connection.request(4, noBytes));
    expect(late).toBeInstanceOf(ConnectionLostError);
    expect(late).toMatchObject({ requestSent: false });
  });

  test("a reply that is cut in the middle rejects", async () => {
    const server = serve((request) => {
      request.write(encodeReplyFrame(new Uint8Array(100)).subarray(0, 50));
      setTimeout(() => request.cut(), 5);
    });
    const connection = await connect(server);
    expect(await rejection(connection.request(1, noBytes))).toMatchObject({ errorName: "Disconnected" });
  });

  test("a request behind a full send buffer knows that it was not sent", async () => {
    const paused = Bun.listen<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: (socket) => void socket.pause(), data: () => undefined },
    });
    cleanups.push(() => paused.stop(true));
    const connection = await open(paused.port);
    const first = rejection(connection.request(1, new Uint8Array(64_000_000)));
    const second = rejection(connection.request(2, noBytes));
    await Bun.sleep(20);
    connection.close();
    expect(await first).toMatchObject({ requestSent: true });
    expect(await second).toMatchObject({ requestSent: false });
  });

  test("close rejects what is in flight and may be called twice", async () => {
    const server = serve(() => undefined);
    const connection = await connect(server);
    const failed = rejection(connection.request(1, noBytes));
    connection.close();
    connection.close();
    expect(await failed).toMatchObject({ errorName: "Disconnected" });
    await connection.closed;
  });

  test("the farewell of a server that shuts down ends the connection", async () => {
    const server = serve((request) => {
      request.reply();
      request.refuse(8);
    });
    const connection = await connect(server);
    await connection.request(CommandCode.ping, noBytes);
    await connection.closed;
    expect(connection.isClosed).toBe(true);
  });

  test("an unasked reply ends the connection, because the order is lost", async () => {
    const server = serve((request) => {
      request.reply();
      request.reply(Uint8Array.of(1, 2));
    });
    const connection = await connect(server);
    await connection.request(CommandCode.ping, noBytes);
    await connection.closed;
    const error = await rejection(connection.request(1, noBytes));
    expect(error).toMatchObject({ errorName: "Disconnected", cause: expect.any(IggyError) });
  });
});

describe("connecting", () => {
  test("a refused connection is CannotEstablishConnection with its cause", async () => {
    const server = startScriptedServer(() => undefined);
    const { port } = server;
    server.stop();
    const error = await rejection(open(port));
    expect(error).toBeInstanceOf(IggyError);
    expect(error).toMatchObject({ errorName: "CannotEstablishConnection", cause: { code: "ECONNREFUSED" } });
  });

  test("a host that cannot be resolved is CannotEstablishConnection", async () => {
    const error = await rejection(open(1, "no-such-host.invalid"));
    expect(error).toMatchObject({ errorName: "CannotEstablishConnection" });
    expect(error).toHaveProperty("cause");
  });
});
