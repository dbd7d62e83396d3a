// The socket of the console: the binary protocol, signed in by the cookie.
import { describe, expect, test } from "bun:test";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { pollMessagesRequestCodec } from "../../src/protocol/message/poll-messages.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { ConsoleTestClient, type TestSocket } from "./console-test-client.ts";

const servers = useServers();
const server = await servers.start({ shards: 2 });
const root = await server.connect();
await root.createStream("orders");
await root.createTopic("orders", { name: "payments", partitionsCount: 2 });

const nothing = new Uint8Array(0);
const target = { stream: nameId("orders"), topic: nameId("payments") };

/** Status of a reply; 0: done. */
async function ask(socket: TestSocket, code: number, payload: Uint8Array = nothing): Promise<number> {
  const reply = await socket.exchange(encodeRequestFrame(code, payload) as Uint8Array<ArrayBuffer>);
  return new DataView(reply.buffer).getUint32(0, true);
}

function pollPayload(autoCommit: boolean): Uint8Array {
  const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;
  const strategy = { kind: "first", value: 0n } as const;
  return encode(pollMessagesRequestCodec, { ...target, consumer, partitionId: 0, strategy, count: 1, autoCommit });
}

function sendPayload(): Uint8Array {
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  return encodeSendMessages({ ...target, partitioning, messages: [{ payload: Uint8Array.of(1) }] });
}

describe("the socket", () => {
  test("is signed in from the beginning, and known as a client", async () => {
    const client = await ConsoleTestClient.signIn(server);
    const socket = client.socket();
    expect(await socket.opened).toBe(true);
    expect(await ask(socket, CommandCode.getMe)).toBe(0);
    expect(await ask(socket, CommandCode.sendMessages, sendPayload())).toBe(0);
    expect(await ask(socket, CommandCode.pollMessages, pollPayload(false))).toBe(0);
    const listed = (await root.getClients()).filter(({ transport }) => transport === "websocket");
    expect(listed).toMatchObject([{ userId: 0, address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) }]);
    socket.close();
    await eventually(
      "the client is gone",
      () => root.getClients(),
      (clients) => clients.length === 1,
    );
  });

  test("needs no pings: its life is watched by the transport", async () => {
    const strict = await servers.start({ env: { IGGY_HEARTBEAT_ENABLED: "true", IGGY_HEARTBEAT_INTERVAL: "1 s" } });
    const socket = (await ConsoleTestClient.signIn(strict)).socket();
    await socket.opened;
    const idle = await strict.connect(); // pings nobody
    const listed = async () => {
      const asking = await strict.connect();
      const clients = await asking.getClients();
      asking.close();
      return clients.filter(({ clientId }) => clientId === idleId).length;
    };
    const idleId = (await idle.getMe()).clientId;
    await eventually("the idle client is stale", listed, (count) => count === 0);
    expect(await ask(socket, CommandCode.getMe)).toBe(0);
    socket.close();
    idle.close();
  });

  test.each([
    ["without a cookie", { cookie: undefined }],
    ["with a cookie that is none", { cookie: "whippet-1=abc" }],
    ["for a page on another port", { origin: "http://127.0.0.1:1" }],
    ["for a page of another host", { origin: "https://evil.example" }],
    ["for what is no page", { origin: undefined }],
  ])("is not opened %s", async (_, headers) => {
    const client = await ConsoleTestClient.signIn(server);
    const socket = client.socket(headers);
    expect((await socket.ended).wasOpen).toBe(false);
  });

  test("asks for an upgrade", async () => {
    const client = await ConsoleTestClient.signIn(server);
    const answer = await client.request("GET", "/ui/socket");
    expect([answer.status, answer.headers.get("upgrade")]).toEqual([426, "websocket"]);
  });
});

describe("a read-only socket", () => {
  test("reads, and changes nothing: not by a command, not by a send, not by a poll that commits", async () => {
    const unauthorized = 41;
    const client = await ConsoleTestClient.signIn(server, { username: "iggy", password: "iggy", readOnly: true });
    const socket = client.socket();
    await socket.opened;
    for (const code of [CommandCode.getStreams, CommandCode.getStats, CommandCode.ping, ExtensionCode.getFeatures]) {
      expect([code, await ask(socket, code)]).toEqual([code, 0]);
    }
    expect(await ask(socket, CommandCode.pollMessages, pollPayload(false))).toBe(0);
    expect(await ask(socket, CommandCode.pollMessages, pollPayload(true))).toBe(unauthorized);
    expect(await ask(socket, CommandCode.sendMessages, sendPayload())).toBe(unauthorized);
    expect(await ask(socket, ExtensionCode.sendWithReceipt, sendPayload())).toBe(unauthorized);
    const create = encode(commandCodecs.createStream.request, { name: "more" });
    expect(await ask(socket, CommandCode.createStream, create)).toBe(unauthorized);
    expect(await ask(socket, CommandCode.loginUser, nothing)).toBe(unauthorized);
    expect(await ask(socket, 999_999)).toBe(unauthorized);
    expect(await ask(socket, CommandCode.getMe)).toBe(0);
    expect(await root.getStream("more")).toBeUndefined();
    socket.close();
  });
});

describe("sockets end with their session, and say so", () => {
  const signedOut = { code: 4401, wasOpen: true };

  async function openTwo(body?: object) {
    const first = await ConsoleTestClient.signIn(server, body);
    const second = first.clone(server);
    const sockets = [first.socket(), second.socket()];
    expect(await Promise.all(sockets.map(({ opened }) => opened))).toEqual([true, true]);
    return { client: first, ended: Promise.all(sockets.map((socket) => socket.ended)) };
  }

  test("when somebody signs out in one window", async () => {
    const { client, ended } = await openTwo();
    const other = (await ConsoleTestClient.signIn(server)).socket();
    await client.request("DELETE", "/ui/api/session");
    expect(await ended).toEqual([signedOut, signedOut]);
    expect(await ask(other, CommandCode.getMe)).toBe(0);
    other.close();
  });

  test("when the user is deleted", async () => {
    await root.createUser({ username: "bob", password: "secret" });
    const { ended } = await openTwo({ username: "bob", password: "secret" });
    await root.deleteUser("bob");
    expect(await ended).toEqual([signedOut, signedOut]);
  });

  test("when the token ends, unless it is renewed", async () => {
    const env = { IGGY_HTTP_JWT_ACCESS_TOKEN_EXPIRY: "2 s", IGGY_HTTP_JWT_CLOCK_SKEW: "0 s" };
    const brief = await servers.start({ env });
    const client = await ConsoleTestClient.signIn(brief);
    const other = await ConsoleTestClient.signIn(brief);
    const [kept, lost] = [client.socket(), other.socket()];
    await Promise.all([kept.opened, lost.opened]);
    const renewing = setInterval(() => void client.post({ renew: true }), 300);
    expect(await lost.ended).toEqual(signedOut);
    expect(await ask(kept, CommandCode.getMe)).toBe(0);
    clearInterval(renewing);
    expect(await kept.ended).toEqual(signedOut);
    await brief.stop();
    expect(brief.log).not.toMatch(/ERROR/);
  });

  test("when the broker stops, in good time", async () => {
    const last = await servers.start();
    const socket = (await ConsoleTestClient.signIn(last)).socket();
    await socket.opened;
    await last.stop();
    expect((await socket.ended).wasOpen).toBe(true);
    expect(last.log).not.toMatch(/ERROR/);
  });
});
