// Recorded requests of 0.9 with damage, behind a login: each is answered with its number, or by an eviction; never with `Error`
// (1), which stands for a bug, and never with silence. The log stays free of errors, and others are served.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../src/platform/random.ts";
import {
  EvictionHeaderLayout,
  HeaderLayout,
  headerBytes,
  operationOf,
  RequestHeaderLayout,
} from "../../src/protocol/v09/headers.ts";
import record from "../golden/conversation-0.9.json" with { type: "json" };
import { requestFrame } from "../protocol/v09/support.ts";
import { resealRecord } from "../storage/kernel/records.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient09 } from "../support/wire-client-09.ts";
import { framesIn09, requireAnswer } from "./answers-09.ts";
import { joined, prepare, serveOthers } from "./calm.ts";
import { exchange } from "./hostile-exchange.ts";
import { broken09, damagedFields } from "./inputs-09.ts";
import { mutate } from "./mutate.ts";

const servers = useServers();
const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
/** A mutated topic with thousands of partitions would only make the test slow. */
const partitionsMax = 50;
const operations = { register: 1, logout: 3, createTopic: 132, createPartitions: 136, send: 160 } as const;

/** A request that changes its connection's login would end the test of what follows. */
const loginOperations: ReadonlySet<number> = new Set([operations.register, operations.logout]);

const requests = record.flatMap(({ from, frame, connection }) => {
  if (from !== "client" || frame === undefined || connection === undefined) return [];
  const bytes = Uint8Array.fromHex(frame);
  const isWhole = bytes.byteLength >= headerBytes && bytes[HeaderLayout.command] === 5;
  return isWhole && !loginOperations.has(operationOf(bytes)) ? [bytes] : [];
});

const text = new TextEncoder();
const short = (value: string) => Buffer.concat([Uint8Array.of(value.length), text.encode(value)]);
const registerBody = Buffer.concat([
  Uint8Array.of(0, 0x2c, 0, 0),
  ...["rust-sdk", "0.11.0", "iggy", "iggy"].map(short),
  new Uint8Array(4),
]);
const register = requestFrame({ operation: operations.register, body: registerBody });

let server: TestServer;
beforeAll(async () => {
  server = await servers.start({ shards: 2 });
  await prepare(server);
});

/** Of a failing test: they would keep the process. */
const open = new Set<WireClient09>();
afterAll(() => {
  for (const client of open) client.close();
});

async function loggedIn(): Promise<WireClient09> {
  const client = await WireClient09.connect(server.port);
  open.add(client);
  const answer = await client.exchange(register);
  if (answer === "closed" || requireAnswer(register, answer) !== 0) throw new Error("no login");
  return client;
}

/** Whether the request would ask for many partitions. */
function asksForMany(operation: number, body: Uint8Array): boolean {
  const isCreation = operation === operations.createTopic || operation === operations.createPartitions;
  if (!isCreation || body.byteLength < 4) return false;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at + 4 <= body.byteLength; at++) {
    const value = view.getUint32(at, true);
    if (value > partitionsMax && value <= 1000) return true;
  }
  return false;
}

/** The same request with another body and the number of its turn; its size is right. */
function withBody(header: Uint8Array, body: Uint8Array, number: number): Uint8Array<ArrayBuffer> {
  const frame = joined([header.subarray(0, headerBytes), body]) as Uint8Array<ArrayBuffer>;
  const view = new DataView(frame.buffer);
  view.setUint32(HeaderLayout.size, frame.byteLength, true);
  view.setBigUint64(RequestHeaderLayout.request, BigInt(number), true);
  view.setBigUint64(RequestHeaderLayout.session, 1n, true);
  // The recorded checksum is that of the recorded body.
  frame.fill(0, RequestHeaderLayout.requestChecksum, RequestHeaderLayout.requestChecksum + 16);
  return frame;
}

/** A damaged body; of a send the checksums are right again half of the time, so that what lies behind them is reached. */
function damagedBody(operation: number, body: Uint8Array, random: Random): Uint8Array {
  const damaged = mutate(body, random);
  if (operation !== operations.send || damaged.byteLength < 4 || random.u32() % 2 === 0) return damaged;
  const batch = 4 + new DataView(damaged.buffer).getUint32(0, true);
  if (batch + headerBytes <= damaged.byteLength) resealRecord(damaged.subarray(batch));
  return damaged;
}

/** The original, so that there are streams, topics and messages that the damaged ones can hit, and damaged ones. */
function variantsOf(request: Uint8Array, random: Random, number: () => number): Uint8Array[] {
  const body = request.subarray(headerBytes);
  const operation = operationOf(request);
  const damaged = () => withBody(request, damagedBody(operation, body, random), number());
  const otherFields = damagedFields(withBody(request, body, number()), random);
  const right = withBody(request, body, number());
  const damagedOnes = [damaged(), damaged(), damaged()];
  // A number that was there before, with something else.
  const repeated = withBody(request, damagedBody(operation, body, random), Math.max(1, number() - (random.u32() % 3)));
  return [right, ...damagedOnes, otherFields, repeated];
}

test.each(seeds)("mutated requests, seed %d", async (seed) => {
  const random = seededRandom(seed);
  const client = await loggedIn();
  let last = 0;
  const outcomes = new Map<string, number>();
  for (const request of requests) {
    for (const sent of variantsOf(request, random, () => ++last)) {
      if (asksForMany(operationOf(sent), sent.subarray(headerBytes))) continue;
      const answer = await client.exchange(sent);
      if (answer === "closed") throw new Error(`closed after ${sent.toHex()}`);
      const code = requireAnswer(sent, answer);
      const outcome = code === 0 ? "success" : code === "eviction" ? code : "refusal";
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  }
  client.close();
  expect(outcomes.get("success")).toBeGreaterThan(requests.length / 2);
  expect(outcomes.get("refusal")).toBeGreaterThan(requests.length / 2);
  await serveOthers(server);
  expect(server.log).not.toContain("ERROR");
}, 240_000);

test("mutated registers behind a login: the session stays what it is, or the reason is told", async () => {
  const random = seededRandom(5);
  const client = await loggedIn();
  const answers = new Map<string, number>();
  for (let count = 0; count < 1000; count++) {
    const body = random.u32() % 4 === 0 ? registerBody : mutate(registerBody, random);
    const sent = withBody(register, body, 0);
    const answer = await client.exchange(sent);
    if (answer === "closed") throw new Error(`closed after ${sent.toHex()}`);
    const code = requireAnswer(sent, answer);
    const outcome = code === "eviction" ? `eviction ${answer[EvictionHeaderLayout.reason]}` : `${code}`;
    answers.set(outcome, (answers.get(outcome) ?? 0) + 1);
  }
  // Nobody is looked up, and nobody else logged in.
  expect([...answers.keys()].toSorted()).toEqual(["0", "eviction 14", "eviction 15"]);
  client.close();
}, 120_000);

test("sends behind sends, some damaged: every one is answered, in order", async () => {
  const random = seededRandom(17);
  const sends = requests.filter((request) => operationOf(request) === operations.send);
  expect(sends.length).toBeGreaterThan(5);
  for (let round = 0; round < 40; round++) {
    const client = await loggedIn();
    let last = 0;
    const sent = Array.from({ length: 50 }, () => {
      const request = sends[random.u32() % sends.length]!;
      const body = request.subarray(headerBytes);
      const isRight = random.u32() % 2 === 0;
      return withBody(request, isRight ? body : damagedBody(operations.send, body, random), ++last);
    });
    client.send(joined(sent));
    for (const request of sent) {
      const answer = await client.receive();
      if (answer === "closed") throw new Error(`closed before the answer to ${request.toHex()}`);
      requireAnswer(request, answer);
    }
    client.close();
  }
  expect(server.log).not.toContain("ERROR");
}, 240_000);

test("a frame that is cut, or broken, behind a login ends its connection", async () => {
  const random = seededRandom(23);
  for (let round = 0; round < 300; round++) {
    const request = requests[random.u32() % requests.length]!;
    const last = random.u32() % 2 === 0 ? broken09(random) : mutate(request, random);
    const isAnswered = (received: Buffer) => framesIn09(received).length > 0;
    await exchange(server.port, { steps: [{ bytes: register, isAnswered }], last });
  }
  await serveOthers(server);
  expect(server.log).not.toContain("ERROR");
}, 240_000);
