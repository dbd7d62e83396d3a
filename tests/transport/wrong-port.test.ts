// Clients at a wrong port, or of a version that does not fit: closed or refused, and the log says what they speak.
import { describe, expect, test } from "bun:test";
import { connect as connectTls } from "node:tls";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorCodes } from "../../src/protocol/error-codes.ts";
import { type ForeignProtocol, foreignProtocolOf } from "../../src/protocol/foreign-protocol.ts";
import { useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

const servers = useServers();
const text = (value: string) => new TextEncoder().encode(value);
const clientHello = Uint8Array.of(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, 7, 7, 7);
const proxyV2 = Uint8Array.of(...text("\r\n\r\n\0\r\nQUIT\n"), 0x21, 0x11, 0, 12, 1, 1, 1, 1, 2, 2, 2, 2, 0, 1, 0, 2);

const strangers: readonly (readonly [name: string, protocol: ForeignProtocol, bytes: Uint8Array])[] = [
  ["TLS", "tls", clientHello],
  ["HTTP", "http", text("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")],
  ["HTTP/2", "http", text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
  ["PROXY 1", "proxy", text("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n")],
  ["PROXY 2", "proxy", proxyV2],
];

describe("the first bytes", () => {
  test.each(strangers)("of %s are known, and no sooner than they differ from every request", (_, protocol, bytes) => {
    const answers = Array.from(bytes, (_byte, index) => foreignProtocolOf(bytes.subarray(0, index + 1)));
    const known = answers.indexOf(protocol);
    expect(known).toBeGreaterThan(2);
    expect(new Set(answers.slice(0, known))).toEqual(new Set(["more"]));
    expect(new Set(answers.slice(known))).toEqual(new Set([protocol]));
  });

  test("of every request before a login, of both kinds of frames, are not foreign", () => {
    const payloads = [0, 1, 2, 5, 38, 0x0316, 600, 0xffff].map((size) => new Uint8Array(size));
    for (const code of [CommandCode.ping, CommandCode.loginUser, CommandCode.loginWithPersonalAccessToken]) {
      for (const payload of payloads) {
        for (const words of [
          [payload.length + 4, code],
          [code, payload.length],
        ]) {
          expect(foreignProtocolOf(new Uint8Array(Uint32Array.from(words).buffer))).toBe("none");
        }
      }
    }
  });
});

const said: Readonly<Record<ForeignProtocol, RegExp>> = {
  tls: /WARN \S*tcp closed a client that speaks TLS .*tcp\.tls\.enabled/,
  http: /WARN \S*tcp closed a client that speaks HTTP .*http\.address/,
  proxy: /WARN \S*tcp closed a client that begins with a header of the PROXY protocol /,
};

describe("at the TCP port", () => {
  test.each([
    "auto",
    "sdk",
    "page",
  ] as const)("frames %s: a stranger is closed, with one line for each kind", async (frames) => {
    const server = await servers.start({ env: { IGGY_TCP_FRAMES: frames } });
    for (const [, protocol, bytes] of strangers) {
      const whole = await WireClient.connect(server);
      whole.write(bytes);
      await whole.ended();
      await server.logged(said[protocol]);
    }
    for (const [, , bytes] of strangers) {
      const parts = await WireClient.connect(server);
      for (const byte of bytes) {
        parts.write(Uint8Array.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await parts.ended();
      expect(parts.waitingReplies).toBe(0);
    }
    const client = await WireClient.connect(server, frames === "page" ? "page" : "sdk");
    await client.login();
    client.close();
    const { stdout } = await server.stop();
    for (const line of Object.values(said)) expect(stdout.match(new RegExp(line, "g"))).toHaveLength(1);
    expect(stdout).not.toMatch(/ERROR/);
  });

  test("a request that comes byte by byte is served", async () => {
    const server = await servers.start();
    const client = await WireClient.connect(server);
    for (const byte of client.frame(CommandCode.ping)) {
      client.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.receive()).toMatchObject({ status: 0 });
    client.close();
  });

  test("with TLS: who has none is told apart from other failures", async () => {
    const server = await servers.start({ env: { IGGY_TCP_TLS_ENABLED: "true" } });
    for (const [bytes, line] of [
      [text("GET /ping HTTP/1.1\r\n\r\n"), /WARN \S*tcp closed a client that speaks HTTP without TLS .*http\.address/],
      [
        Uint8Array.of(4, 0, 0, 0, 1, 0, 0, 0),
        /WARN \S*tcp closed a client that does not speak TLS .*tcp\.tls\.enabled/,
      ],
    ] as const) {
      const client = await WireClient.connect(server);
      client.write(bytes);
      await client.ended();
      await server.logged(line);
    }
    // HTTPS at this port: what comes out of TLS is HTTP.
    const secure = connectTls({ host: server.host, port: server.port, rejectUnauthorized: false });
    secure.on("error", () => undefined);
    secure.write("GET /ping HTTP/1.1\r\n\r\n");
    await server.logged(said.http);
    secure.destroy();
    await server.stop();
  });
});

test("messages of a client of 0.6 are refused, and the log names the version", async () => {
  const server = await servers.start();
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 1 });
  const client = await WireClient.connect(server);
  await client.login();
  for (const payloads of [["hello"], ["a", "", "x".repeat(500)]]) {
    const reply = await client.request(CommandCode.sendMessages, earlierSend(payloads));
    expect(reply.status).toBe(errorCodes.MissingIndex);
  }
  await server.logged(/WARN \S*tcp refused messages with the header of 56 bytes of Iggy 0\.6 .*address=127/);
  expect((await root.getTopic("orders", "eu"))?.messagesCount).toBe(0n);
  client.close();
  root.close();
  const { stdout } = await server.stop();
  expect(stdout.match(/Iggy 0\.6/g)).toHaveLength(1);
});

/** A send with index rows as today, and messages without the reserved field: id, offset, times, lengths, payload. */
function earlierSend(payloads: readonly string[]): Uint8Array {
  const head = Buffer.concat([name("orders"), name("eu"), balanced, u32s(payloads.length)]);
  const messages = payloads.map((payload) => {
    const message = new Uint8Array(56 + payload.length);
    message.set(u32s(payload.length), 52);
    message.set(text(payload), 56);
    return message;
  });
  let position = 0;
  const rows = messages.map(({ length }) => {
    position += length;
    return u32s(0, position, 0, 0);
  });
  return Buffer.concat([u32s(head.length), head, ...rows, ...messages]);
}

const u32s = (...values: readonly number[]) => new Uint8Array(Uint32Array.from(values).buffer);
const name = (value: string) => Uint8Array.of(2, value.length, ...text(value));
const balanced = Uint8Array.of(1, 0);
