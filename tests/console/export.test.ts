// GET /ui/api/export: a range of a topic as a file.
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";

import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

const servers = useServers();
const server = await servers.start();
const root = await server.connect();
const client = await ConsoleTestClient.signIn(server);
const text = (value: string) => new TextEncoder().encode(value);
const messagesCount = 2500; // more than two reads

await root.createStream("orders");
await root.createTopic("orders", { name: "payments", partitionsCount: 2 });
const sent = Array.from({ length: messagesCount }, (_, number) => ({ payload: text(`message ${number}`) }));
for (let start = 0; start < messagesCount; start += 500) {
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  await root.sendMessages({
    stream: "orders",
    topic: "payments",
    partitioning,
    messages: sent.slice(start, start + 500),
  });
}
await root.sendMessages({
  ...{ stream: "orders", topic: "payments", partitioning: { kind: "partition", partitionId: 1 } },
  messages: [{ payload: Uint8Array.of(0, 255) }],
});

const path = (query: string) => `/ui/api/export?stream=orders&topic=payments${query}`;
const lines = (answer: { readonly text: string }) =>
  answer.text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe("an export", () => {
  test("holds what was sent, of each partition in order", async () => {
    const answer = await client.request("GET", path(""));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    expect(answer.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''payments.ndjson");
    const found = lines(answer);
    expect(found.slice(0, messagesCount).map(({ payload }) => payload)).toEqual(
      sent.map((_, number) => `message ${number}`),
    );
    expect(found.slice(messagesCount).map((line) => [line.partition, line.offset, line.payload_base64])).toEqual([
      [1, 0, "AP8="],
    ]);
  });

  test("takes a range of offsets or of times", async () => {
    const offsets = async (query: string) =>
      lines(await client.request("GET", path(`&partition=0${query}`))).map(({ offset }) => offset);
    expect(await offsets("&from=998&to=1001")).toEqual([998, 999, 1000, 1001]);
    expect(await offsets("&from=2498")).toEqual([2498, 2499]);
    expect(await offsets("&from=2500")).toEqual([]);
    expect(await offsets("&from=5&to=4")).toEqual([]);
    const micros = lines(await client.request("GET", path("&partition=0&from=1500&to=1500")))[0].timestamp as number;
    const later = new Date(Math.floor(micros / 1000) + 1).toISOString();
    const [before, after] = [await offsets(`&to=@${later}`), await offsets(`&from=@${later}`)];
    expect(before.concat(after)).toEqual(sent.map((_, number) => number));
    expect(before).toContain(1500);
  });

  test("is in raw form what a poll gives, byte for byte", async () => {
    const url = `${client.origin}${path("&partition=0&format=raw&from=10&to=19")}`;
    const response = await fetch(url, { headers: { cookie: client.cookie } });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const polled = await root.pollMessages({
      ...{ stream: "orders", topic: "payments", partitionId: 0, count: 10 },
      consumer: { kind: "consumer", id: { kind: "numeric", value: 0 } },
      strategy: { kind: "offset", value: 10n },
    });
    const size = polled.messages.reduce(
      (sum, { payload, userHeaders }) => sum + 64 + payload.length + userHeaders.length,
      0,
    );
    expect(bytes.length).toBe(size);
    const view = new DataView(bytes.buffer);
    expect(view.getBigUint64(24, true)).toBe(10n);
    expect(view.getBigUint64(0, true)).toBe(polled.messages[0]!.checksum);
    expect(new TextDecoder().decode(bytes.subarray(64, 64 + view.getUint32(52, true)))).toBe("message 10");
  });

  test("needs the right to poll, and arguments that mean something", async () => {
    const status = async (query: string, who = client) => (await who.request("GET", query)).status;
    expect(await status(path(""), new ConsoleTestClient(server))).toBe(401);
    await root.createUser({ username: "nobody", password: "secret" });
    const nobody = await ConsoleTestClient.signIn(server, { username: "nobody", password: "secret" });
    expect(await status(path(""), nobody)).toBe(403);
    const readOnly = await ConsoleTestClient.signIn(server, { username: "iggy", password: "iggy", readOnly: true });
    expect(await status(path("&to=0"), readOnly)).toBe(200);
    expect(await status("/ui/api/export?stream=orders&topic=none")).toBe(404);
    expect(await status(path("&partition=9"))).toBe(404);
    expect(await status(path("&partition=x"))).toBe(400);
    expect(await status(path("&from=yesterday"))).toBe(400);
    expect(await status(path("&format=csv"))).toBe(400);
    expect(await status("/ui/api/export?stream=orders")).toBe(400);
    expect((await client.request("POST", path(""))).status).toBe(405);
  });

  test("reads no faster than it is taken, and ends where its topic is deleted", async () => {
    await root.createTopic("orders", { name: "large", partitionsCount: 1 });
    const payload = new Uint8Array(1024 * 1024).fill(0x61);
    for (let number = 0; number < 48; number++) {
      await root.sendMessages({ stream: "orders", topic: "large", messages: [{ payload }] });
    }
    // A reader that takes the head of the answer and nothing more until the topic is gone.
    const { promise: ended, resolve } = Promise.withResolvers<number>();
    let bytes = 0;
    const socket = connect(server.portOf("http"), server.host, () => {
      const request = "GET /ui/api/export?stream=orders&topic=large HTTP/1.1";
      socket.write(`${request}\r\nhost: ${server.host}\r\ncookie: ${client.cookie}\r\n\r\n`);
    });
    socket.on("data", (chunk) => {
      if (bytes === 0) socket.pause();
      bytes += chunk.length;
    });
    socket.on("close", () => resolve(bytes));
    socket.on("error", () => undefined); // the close follows
    await eventually(
      "the answer has begun",
      () => bytes,
      (count) => count > 0,
    );
    await root.deleteTopic("orders", "large");
    socket.resume();
    expect(await ended).toBeLessThan(40 * 1024 * 1024);
    // The broker goes on.
    expect((await client.request("GET", path("&to=0"))).status).toBe(200);
  });
});
