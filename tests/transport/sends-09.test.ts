// Sends and polls of 0.9 that the SDKs do not make, or seldom: headers that are at odds with the rules, bodies that are not what
// their checksum says, announcements that are not kept, and replies as large as a frame may be.
import { expect, setDefaultTimeout, test } from "bun:test";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { codecsOf09 } from "../../src/protocol/v09/codecs.ts";
import {
  EvictionHeaderLayout,
  frameBytesMax,
  HeaderCommand,
  headerBytes,
  headerCommandOf,
  ReplyHeaderLayout,
} from "../../src/protocol/v09/headers.ts";
import { operationFor } from "../../src/protocol/v09/operations.ts";
import { requestFrame } from "../protocol/v09/support.ts";
import { buildRecord, type RecordMessage } from "../storage/kernel/records.ts";
import { Client09, sendBody09 } from "../support/client-09.ts";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";

const servers = useServers();
setDefaultTimeout(120_000);

const mebibyte = 1024 * 1024;
const stream = { kind: "string", value: "orders" } as const;
const topic = { kind: "string", value: "eu" } as const;
const operation = operationFor("sendMessages");

function messageOf(payloadBytes: number, index = 0): RecordMessage {
  const payload = new Uint8Array(payloadBytes).fill(index + 1);
  return { id: BigInt(index + 1), payload, userHeaders: new Uint8Array(0), originTimestamp: 1_700_000_000_000_000n };
}

async function started(env: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const server = await servers.start({ env });
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 1 });
  root.close();
  return server;
}

async function messagesCount(server: TestServer): Promise<bigint | undefined> {
  const root = await server.connect();
  const found = await root.getTopic("orders", "eu");
  root.close();
  return found?.messagesCount;
}

/** `status 3`, `eviction 12` or `closed`. */
function answerOf(frame: Uint8Array | "closed"): string {
  if (frame === "closed") return frame;
  if (headerCommandOf(frame) === HeaderCommand.eviction) return `eviction ${frame[EvictionHeaderLayout.reason]}`;
  return `status ${new DataView(frame.buffer, frame.byteOffset).getUint32(ReplyHeaderLayout.status, true)}`;
}

test("a send is refused for its header, with its number in the answer, and the connection goes on", async () => {
  const server = await started();
  const client = await Client09.login(server.port);
  const body = sendBody09(stream, topic, 0, 2, buildRecord([messageOf(100), messageOf(30_000, 1)]));
  const right = Bun.hash.xxHash3(body);
  const cases = [
    { fields: { client: new Uint8Array(16), session: 1n }, answer: "status 3" },
    { fields: { session: 0n }, answer: "status 40" },
    { fields: { session: 1n, requestChecksum: right ^ 1n }, answer: "status 4" },
    { fields: { session: 1n, requestChecksum: 1n }, answer: "status 4" },
    { fields: { session: 1n, requestChecksum: right }, answer: "status 0" },
    { fields: { session: 1n }, answer: "status 0" },
  ];
  for (const [index, { fields, answer }] of cases.entries()) {
    const request = BigInt(index + 70);
    const frame = await client.wire.exchange(requestFrame({ operation, request, body, ...fields }));
    expect(answerOf(frame)).toBe(answer);
    const view = new DataView((frame as Uint8Array).buffer, (frame as Uint8Array).byteOffset);
    expect(view.getBigUint64(ReplyHeaderLayout.request, true)).toBe(request);
    expect((frame as Uint8Array)[ReplyHeaderLayout.operation]).toBe(operation);
  }
  expect(await messagesCount(server)).toBe(4n);
  client.close();
});

test("a send that is refused before it is read is in the audit as one", async () => {
  const server = await started();
  const root = await server.connect();
  await root.createUser({ username: "ann", password: "secret-of-ann" });
  root.close();
  const ann = await Client09.login(server.port, "ann", "secret-of-ann");
  const body = sendBody09(stream, topic, 0, 1, buildRecord([messageOf(9 * mebibyte)]));
  expect(answerOf(await ann.wire.exchange(requestFrame({ operation, session: 1n, body })))).toBe("status 41");
  await eventually(
    "a line of the audit",
    () => server.log,
    (log) => /refused a request command=sendMessages .*by=ann/.test(log),
  );
  ann.close();
});

/** The beginning of a send whose body would be `bodyBytes` long, with as many messages as its frames could hold. */
function announcement(bodyBytes: number, messagesCount: number): Uint8Array {
  const empty = sendBody09(stream, topic, 0, messagesCount, new Uint8Array(headerBytes));
  const view = new DataView(empty.buffer, empty.byteOffset, empty.byteLength);
  const batch = empty.byteLength - headerBytes;
  view.setUint32(batch + 32, bodyBytes - batch, true);
  view.setUint32(batch + 48, messagesCount, true);
  const frame = requestFrame({ operation, session: 1n, body: empty });
  new DataView(frame.buffer).setUint32(48, headerBytes + bodyBytes, true);
  return frame;
}

test("what sends announce keeps no other send waiting, however many messages they announce", async () => {
  const server = await started({ IGGY_SYSTEM_MEMORY_POOL_SIZE: "512 MiB" });
  const bodyBytes = 30 * mebibyte;
  const slow: Client09[] = [];
  for (let count = 0; count < 30; count++) {
    const client = await Client09.login(server.port);
    const head = announcement(bodyBytes, Math.floor((bodyBytes - 1024) / 48));
    client.wire.send(Buffer.concat([head, new Uint8Array(1000)]));
    slow.push(client);
  }
  const root = await Client09.login(server.port);
  expect(await root.send(stream, topic, 0, [messageOf(60_000_000)])).toBe(0n);
  expect(server.log).not.toContain("while memory was short");
  for (const client of [...slow, root]) client.close();
});

test("a count that the frames cannot have is refused before it has memory, and the connection goes on", async () => {
  const server = await started();
  const client = await Client09.login(server.port);
  for (const [count, answer] of [
    [0, "status 4009"],
    [2 ** 32 - 1, "status 3"],
    [22, "status 3"],
  ] as const) {
    const frame = announcement(headerBytes + 40 + 1000, count);
    const missing = new DataView(frame.buffer).getUint32(48, true) - frame.byteLength;
    expect(answerOf(await client.wire.exchange(Buffer.concat([frame, new Uint8Array(missing)])))).toBe(answer);
  }
  expect(await client.send(stream, topic, 0, [messageOf(1)])).toBe(0n);
  client.close();
});

test("a poll's reply is no larger than a frame may be: the next one goes on behind it", async () => {
  const server = await started();
  const client = await Client09.login(server.port);
  const sizes = [...Array.from({ length: 70 }, () => mebibyte), 63_900_000, 10];
  for (const [index, size] of sizes.entries()) await client.send(stream, topic, 0, [messageOf(size, index % 250)]);
  const seen: number[] = [];
  let repliesCount = 0;
  while (seen.length < sizes.length) {
    const strategy = { kind: "offset", value: BigInt(seen.length) } as const;
    const reply = await client.poll(stream, topic, 0, strategy, 1000);
    expect(reply.messages.length).toBeGreaterThan(0);
    const bytes = reply.messages.reduce((sum, { payload }) => sum + payload.byteLength + 304, 0);
    expect(bytes + headerBytes + 16).toBeLessThanOrEqual(frameBytesMax);
    seen.push(...reply.messages.map(({ payload }) => payload.byteLength));
    repliesCount++;
  }
  expect(seen).toEqual(sizes);
  expect(repliesCount).toBe(3);
  // What a poll commits is what it gave.
  const consumer = { kind: "consumer", id: { kind: "numeric", value: 9 } } as const;
  const place = { consumer, stream, topic, partitionId: 0 };
  const strategy = { kind: "next", value: 0n } as const;
  const asked = { ...place, strategy, count: 1000, autoCommit: true };
  const polled = await client.request("pollMessages", asked);
  const givenCount = polled?.records.reduce((count, { messages }) => count + messages.length, 0) ?? 0;
  expect(givenCount).toBeLessThan(70);
  expect((await client.request("getConsumerOffset", place))?.storedOffset).toBe(BigInt(givenCount - 1));
  client.close();
});

test("who repeats a request after its user is gone is sent away, as with any other request", async () => {
  const server = await servers.start();
  const root = await server.connect();
  await root.createUser({ username: "ann", password: "secret-of-ann" });
  const ann = await Client09.login(server.port, "ann", "secret-of-ann");
  const token = encode(codecsOf09("createPersonalAccessToken").request, { name: "mine", expiryMicros: 0n });
  const request = requestFrame({ operation: 146, session: 1n, request: 7n, body: token });
  const answer = await ann.wire.exchange(request);
  expect(answerOf(answer)).toBe("status 0");
  expect(await ann.wire.exchange(request)).toEqual(answer);
  await root.deleteUser((await root.getUser("ann"))!.id);
  expect(answerOf(await ann.wire.exchange(request))).toBe("eviction 12");
  expect(await ann.wire.receive()).toBe("closed");
  root.close();
});

test("a ping is answered although the session's user is gone, everything else sends the client away", async () => {
  const server = await started();
  const root = await server.connect();
  await root.createUser({ username: "ann", password: "secret-of-ann" });
  const ann = await Client09.login(server.port, "ann", "secret-of-ann");
  const user = await root.getUser("ann");
  await root.deleteUser(user!.id);
  const ping = requestFrame({ operation: 2, code: CommandCode.ping, session: 1n });
  expect(answerOf(await ann.wire.exchange(ping))).toBe("status 0");
  const body = sendBody09(stream, topic, 0, 1, buildRecord([messageOf(10)]));
  expect(answerOf(await ann.wire.exchange(requestFrame({ operation, session: 1n, body })))).toBe("eviction 12");
  expect(await ann.wire.receive()).toBe("closed");
  root.close();
});
