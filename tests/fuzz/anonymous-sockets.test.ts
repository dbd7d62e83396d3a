// Clients without a login over every transport of one server process: 20,000 seeded inputs each over TCP, WebSocket and HTTP,
// 2,000 over QUIC, in some 20 seconds. Each is answered or ends its connection, and afterwards the server is as before. None
// is a login whose credentials are looked up: those are answered late, and ever later, on purpose. A third of the binary
// connections speak 0.9.
// WHIPPET_FUZZ_TIMES=10 multiplies the inputs, for a long run; WHIPPET_FUZZ_SEED=2 gives others.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Random, seededRandom } from "../../src/platform/random.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { growsLessThan, residentBytes } from "../support/process-facts.ts";
import { encodeFrame, Opcode } from "../support/raw-websocket.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { QuicClient } from "../transport/quic-client.ts";
import { broken, framed, fuzzSeed, fuzzTimes, quickBody, quickRequest } from "./anonymous-inputs.ts";
import { isHttpAnswer, isUpgraded, payloadsIn, repliesIn } from "./answers.ts";
import { answersIn09 } from "./answers-09.ts";
import { joined, mebibyte, prepare, serveOthers } from "./calm.ts";
import { exchange, type Step } from "./hostile-exchange.ts";
import { broken09, ping09, quickRequest09 } from "./inputs-09.ts";
import { mutate } from "./mutate.ts";

const servers = useServers();
const inputsOfTransport = 20_000 * fuzzTimes;
const inputsOfQuic = 2_000 * fuzzTimes;
/** Connections at a time. */
const concurrency = 16;
/** Inputs of one connection, the last of which is no request. */
const inputsOfConnection = 10;
const timeLimitMs = 240_000 * fuzzTimes;

let server: TestServer;
let quic: QuicClient;

beforeAll(async () => {
  server = await servers.start({ shards: 2, env: { IGGY_QUIC_ENABLED: "true" } });
  await prepare(server);
  quic = new QuicClient(servers.makeDirectory());
}, 120_000);

afterAll(() => quic.stop());

/** What `once` sends until it has been `count` inputs: `concurrency` of them at a time, each with its own chance. */
async function spread(count: number, once: (random: Random) => Promise<number>): Promise<void> {
  const work = async (_: unknown, index: number) => {
    const random = seededRandom(fuzzSeed * 1000 + index);
    for (let sent = 0; sent < count / concurrency; ) sent += await once(random);
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

/** The first quarter fills what the runtime keeps for itself; after the rest nothing more is held, and everybody is served. */
async function attack(count: number, once: (random: Random) => Promise<number>): Promise<void> {
  await spread(count / 4, once);
  const before = residentBytes(server.pid);
  await spread((count * 3) / 4, once);
  await growsLessThan(32 * mebibyte, () => residentBytes(server.pid), before);
  await serveOthers(server);
  expect(server.log).not.toContain("ERROR");
}

const ping = framed({ code: CommandCode.ping, payload: new Uint8Array(0) });

/** Behind a ping, which decides once what kind of frames these are. */
function requestsOf(random: Random): Uint8Array[] {
  return [ping, ...Array.from({ length: inputsOfConnection - 1 }, () => framed(quickRequest(random)))];
}

/** The same of a client of 0.9; now and then all of them are pings, hundreds at once. */
function requestsOf09(random: Random): Uint8Array[] {
  if (random.u32() % 32 === 0) return Array.from({ length: 300 }, () => ping09);
  return [ping09, ...Array.from({ length: inputsOfConnection - 1 }, () => quickRequest09(random))];
}

/** Whether a connection speaks 0.9. */
function isLater(random: Random): boolean {
  return random.u32() % 3 === 0;
}

/** The bytes in messages that are cut anywhere. */
function messagesOf(bytes: Uint8Array, random: Random): Uint8Array {
  const messages: Uint8Array[] = [];
  for (let start = 0; start < bytes.byteLength; ) {
    const end = start + 1 + (random.u32() % 700);
    messages.push(encodeFrame(Opcode.binary, bytes.subarray(start, end)));
    start = end;
  }
  return joined(messages);
}

test(
  "TCP: first bytes, and requests behind a right one",
  async () => {
    await attack(inputsOfTransport, async (random) => {
      const is09 = isLater(random);
      const last = is09 ? broken09(random) : broken(random);
      if (random.u32() % 4 === 0) {
        await exchange(server.port, { steps: [], last });
        return 1;
      }
      const requests = is09 ? requestsOf09(random) : requestsOf(random);
      const count = (received: Buffer) => (is09 ? answersIn09(received, requests) : repliesIn(received));
      const isAnswered = (received: Buffer) => count(received) >= requests.length;
      await exchange(server.port, { steps: [{ bytes: joined(requests), isAnswered }], last });
      return inputsOfConnection;
    });
  },
  timeLimitMs,
);

const handshake = Buffer.from(
  [
    "GET / HTTP/1.1",
    "Host: localhost",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "",
    "",
  ].join("\r\n"),
);

test(
  "WebSocket: handshakes and frames",
  async () => {
    const accepted: Step = { bytes: handshake, isAnswered: isUpgraded };
    await attack(inputsOfTransport, async (random) => {
      const port = server.portOf("websocket");
      if (random.u32() % 4 === 0) {
        await exchange(port, { steps: [], last: mutate(handshake, random) });
        return 1;
      }
      if (isLater(random)) {
        const requests = requestsOf09(random);
        const isAnswered = (received: Buffer) => answersIn09(payloadsIn(received), requests) >= requests.length;
        const bytes = messagesOf(joined(requests), random);
        const last = messagesOf(broken09(random), random);
        await exchange(port, { steps: [accepted, { bytes, isAnswered }], last: mutate(last, random) });
        return inputsOfConnection;
      }
      const requests = requestsOf(random);
      const bytes = joined(requests.map((request) => encodeFrame(Opcode.binary, request)));
      const isAnswered = (received: Buffer) => repliesIn(payloadsIn(received)) >= requests.length;
      const last = mutate(encodeFrame(random.u32() % 16, broken(random), { isFinal: random.u32() % 2 === 0 }), random);
      await exchange(port, { steps: [accepted, { bytes, isAnswered }], last });
      return inputsOfConnection;
    });
  },
  timeLimitMs,
);

const targets = [
  "POST /users/login",
  "POST /personal-access-tokens/login",
  "POST /users/refresh-token",
  "POST /no/such/route",
  "GET /",
  "GET /ping",
  "GET /streams",
  "PUT /users/1",
];
const headerLines = [
  "Content-Type: application/json",
  "Content-Type: text/plain",
  "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
  "Authorization: x",
  "Origin: http://example.com",
  "Accept-Encoding: gzip, br;q=2",
  "Cookie: =;=;;",
];

/** A request whose head and length are right. */
function httpRequest(random: Random): Buffer {
  const target = targets[random.u32() % targets.length]!;
  const body = Buffer.from(target.startsWith("GET") ? "" : quickBody(random));
  const lines = headerLines.filter(() => random.u32() % 2 === 0);
  const head = [`${target} HTTP/1.1`, "Host: localhost", ...lines, `Content-Length: ${body.byteLength}`, "", ""];
  return Buffer.concat([Buffer.from(head.join("\r\n")), body]);
}

test(
  "HTTP: public routes, and others without a token",
  async () => {
    await attack(inputsOfTransport, async (random) => {
      const requests = Array.from({ length: inputsOfConnection - 1 }, () => httpRequest(random));
      const steps = requests.map((bytes) => ({ bytes, isAnswered: isHttpAnswer }));
      const answered = await exchange(server.portOf("http"), { steps, last: mutate(httpRequest(random), random) });
      return answered === steps.length ? answered + 1 : answered;
    });
  },
  timeLimitMs,
);

test(
  "QUIC: streams of its connections, and datagrams that are none of its packets",
  async () => {
    const port = server.portOf("quic");
    const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
    const datagrams = createSocket("udp4");
    let opened = 0;
    await attack(inputsOfQuic, async (random) => {
      const name = `fuzz ${opened++}`;
      await quic.open(name, { port, certPem });
      const is09 = isLater(random);
      await quic.exchange(name, is09 ? ping09 : ping);
      for (let sent = 1; ; sent++) {
        const noise = new Uint8Array(1 + (random.u32() % 1300));
        random.fill(noise);
        datagrams.send(noise, port, "127.0.0.1");
        const isRequest = random.u32() % 2 === 0;
        const bytes = is09
          ? (isRequest ? quickRequest09 : broken09)(random)
          : isRequest
            ? framed(quickRequest(random))
            : broken(random);
        try {
          const received = Buffer.from(await quic.exchange(name, bytes));
          const count = is09 ? answersIn09(received, [bytes]) : repliesIn(received);
          if (isRequest && count !== 1) throw new Error(`${count} replies to ${bytes.toHex()}`);
        } catch (error) {
          // The end of the stream, or of the connection, is an answer to what is no request.
          if (isRequest || String(error).includes("no answer")) throw error;
          await quic.close(name).catch(() => undefined);
          return sent;
        }
        // What is broken may have ended the connection although it was answered.
        if (sent < 25 && (isRequest || !is09)) continue;
        await quic.close(name);
        return sent;
      }
    });
    datagrams.close();
  },
  timeLimitMs,
);
