// Server-Sent Events: the messages of a partition as they come, on the real server with two shards; and their text, piece by piece.
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import type { Client } from "../../src/client/index.ts";
import { encode } from "../../src/protocol/codec.ts";
import { pollMessagesReplyCodec } from "../../src/protocol/message/poll-messages.ts";
import { pollReplyHeadBytes } from "../../src/protocol/message-layout.ts";
import { eventText } from "../../src/transport/http/messages/event-text.ts";
import { JsonBytes } from "../../src/transport/http/messages/json-bytes.ts";
import { MessagePieces } from "../../src/transport/http/messages/message-pieces.ts";
import { freshTopic, metric, send, streamName } from "../extensions/support.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { HttpTestClient } from "./http-client.ts";

const servers = useServers();
setDefaultTimeout(120_000);
let server: TestServer;
let admin: Client;
let http: HttpTestClient;

beforeAll(async () => {
  server = await servers.start({ shards: 2 });
  admin = await server.connect();
  http = await HttpTestClient.login(server);
});

interface ServerEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: { readonly header?: { readonly offset: number }; readonly payload?: string; readonly code?: string };
}

/** A reader of events as the standard says it, for one field of each name. */
class Events {
  readonly status: number;
  readonly type: string | null;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #abort: AbortController;
  readonly #decoder = new TextDecoder();
  #text = "";
  comments = 0;

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status;
    this.type = response.headers.get("content-type");
    this.#reader = response.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    this.#abort = abort;
  }

  static async open(
    { address, token }: HttpTestClient,
    topic: string,
    partitionId: number,
    { query = "", lastId }: { readonly query?: string; readonly lastId?: string } = {},
  ): Promise<Events> {
    const abort = new AbortController();
    const path = `/streams/${streamName}/topics/${topic}/partitions/${partitionId}/events${query}`;
    const headers = { authorization: `Bearer ${token}`, ...(lastId !== undefined && { "last-event-id": lastId }) };
    return new Events(await fetch(address + path, { headers, signal: abort.signal }), abort);
  }

  /** Undefined: the answer has ended. */
  async next(): Promise<ServerEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const lines = this.#text.slice(0, end).split("\n");
        this.#text = this.#text.slice(end + 2);
        if (lines[0]!.startsWith(":")) {
          this.comments++;
          continue;
        }
        const field = (name: string) =>
          lines
            .find((line) => line.startsWith(`${name}:`))
            ?.slice(name.length + 1)
            .trim();
        return { id: field("id"), event: field("event") ?? "message", data: JSON.parse(field("data")!) };
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) {
      const next = await this.next();
      if (next?.event !== "message") throw new Error(`not a message: ${JSON.stringify(next)}`);
      expect(next.id).toBe(String(next.data.header!.offset));
      texts.push(new TextDecoder().decode(Uint8Array.fromBase64(next.data.payload!)));
    }
    return texts;
  }

  async text(): Promise<string> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return this.#text;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  close(): void {
    this.#abort.abort();
  }
}

const openCount = (count: number) =>
  eventually(
    `${count} subscriptions`,
    () => metric(server, "whippet_subscriptions"),
    (now) => now === count,
  );

describe.each([0, 1])("partition %d", (partitionId) => {
  test("what is there and what comes; from an offset, from the newest, and behind the last that was seen", async () => {
    const topic = await freshTopic(admin, 2);
    await send(admin, topic, partitionId, "a", "b", "c");
    const all = await Events.open(http, topic, partitionId);
    expect([all.status, all.type]).toEqual([200, "text/event-stream"]);
    expect(await all.texts(3)).toEqual(["a", "b", "c"]);
    expect(all.comments).toBe(1);
    const rest = await Events.open(http, topic, partitionId, { query: "?kind=offset&value=1" });
    const last = await Events.open(http, topic, partitionId, { query: "?value=0", lastId: "1" });
    const next = await Events.open(http, topic, partitionId, { lastId: "2" });
    await openCount(4);
    await send(admin, topic, partitionId, "d");
    expect(await all.texts(1)).toEqual(["d"]);
    expect(await rest.texts(3)).toEqual(["b", "c", "d"]);
    expect(await last.texts(2)).toEqual(["c", "d"]);
    expect(await next.texts(1)).toEqual(["d"]);
    for (const one of [all, rest, last, next]) one.close();
    await openCount(0);
  });

  test("messages of any size, and as many as there are", async () => {
    const topic = await freshTopic(admin, 2);
    const texts = [300_000, 1, 2_000_000, 98_304, 98_303, 0, 100].map((size, index) => `${index}`.repeat(size) || "-");
    await send(admin, topic, partitionId, ...texts);
    for (let round = 0; round < 5; round++) {
      await send(admin, topic, partitionId, ...Array.from({ length: 1000 }, (_, index) => `${round}/${index}`));
    }
    const events = await Events.open(http, topic, partitionId);
    expect(await events.texts(texts.length)).toEqual(texts);
    expect((await events.texts(5000)).at(-1)).toBe("4/999");
    events.close();
    await openCount(0);
  });

  test("a purge, a deletion and a right that is taken away are the last event", async () => {
    const topic = await freshTopic(admin, 2);
    await send(admin, topic, partitionId, "a");
    const first = await Events.open(http, topic, partitionId);
    await first.texts(1);
    await admin.purgeTopic(streamName, topic);
    expect(await first.next()).toEqual({ id: "", event: "reset", data: {} });
    expect(await first.next()).toBeUndefined();
    const permissions = { global: { ...noGlobalRights, pollMessages: true }, streams: [] };
    await admin.createUser({ username: "guest", password: "secret", permissions });
    const guest = await HttpTestClient.login(server, "guest", "secret");
    const second = await Events.open(guest, topic, partitionId);
    await openCount(1);
    await admin.updatePermissions("guest", undefined);
    expect(await second.next()).toMatchObject({ event: "error", data: { id: 41, code: "unauthorized" } });
    expect(await second.next()).toBeUndefined();
    expect((await Events.open(guest, topic, partitionId)).status).toBe(403);
    await admin.deleteUser("guest");
    const third = await Events.open(http, topic, partitionId);
    await openCount(1);
    await admin.deleteTopic(streamName, topic);
    expect(await third.next()).toMatchObject({ event: "error", data: { id: 2010 } });
    await openCount(0);
  });
});

test("a logout ends what its token opened, and nothing else", async () => {
  const topic = await freshTopic(admin, 1);
  const other = await HttpTestClient.login(server);
  const [mine, others] = [await Events.open(http, topic, 0), await Events.open(other, topic, 0)];
  await openCount(2);
  expect((await other.request("DELETE", "/users/logout")).status).toBe(204);
  expect(await others.next()).toMatchObject({ event: "error", data: { id: 40 } });
  await send(admin, topic, 0, "a");
  expect(await mine.texts(1)).toEqual(["a"]);
  mine.close();
  await openCount(0);
});

test("refusals are those of the poll route", async () => {
  const topic = await freshTopic(admin, 1);
  const path = (stream: string, name: string, partition: string, query = "") =>
    `/streams/${stream}/topics/${name}/partitions/${partition}/events${query}`;
  const statusOf = async (at: string, headers = {}) => (await http.request("GET", at, undefined, headers)).status;
  expect(await statusOf(path("missing", topic, "0"))).toBe(404);
  expect(await statusOf(path(streamName, "missing", "0"))).toBe(404);
  expect(await statusOf(path(streamName, topic, "7"))).toBe(404);
  expect(await statusOf(path(streamName, topic, "x"))).toBe(400);
  expect(await statusOf(path(streamName, topic, "0", "?kind=never"))).toBe(400);
  expect(await statusOf(path(streamName, topic, "0", "?value=1&value=2"))).toBe(400);
  expect(await statusOf(path(streamName, topic, "0"), { "last-event-id": "-1" })).toBe(400);
  expect(await statusOf(path(streamName, topic, "0"), { authorization: undefined })).toBe(401);
  expect(await metric(server, "whippet_subscriptions")).toBe(0);
});

test("clients that do not read cost what their sockets hold, and hold up nobody", async () => {
  const topic = await freshTopic(admin, 1);
  for (let round = 0; round < 20; round++) await send(admin, topic, 0, ...Array<string>(10).fill("z".repeat(100_000)));
  const request = `GET /streams/${streamName}/topics/${topic}/partitions/0/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${http.token}\r\n\r\n`;
  const sockets = await Promise.all(
    Array.from({ length: 20 }, () => {
      const { promise, resolve, reject } = Promise.withResolvers<Socket>();
      const socket = connect({ host: server.host, port: server.portOf("http") }, () => resolve(socket));
      socket.once("error", reject);
      return promise;
    }),
  );
  for (const socket of sockets) {
    socket.pause();
    socket.write(request);
  }
  await openCount(20);
  const quick = await Events.open(http, topic, 0);
  expect(await quick.texts(200)).toHaveLength(200);
  // What the broker has given away is less than half of what they asked for: it waits for them.
  const sentBytes = await metricOf("http");
  expect(sentBytes).toBeLessThan(20 * 10_000_000 + 40_000_000);
  for (const socket of sockets) socket.destroy();
  quick.close();
  await openCount(0);
});

async function metricOf(transport: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${server.portOf("http")}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`whippet_sent_bytes_total{transport="${transport}"}`));
  return Number(line!.split(" ")[1]);
}

test("as many as may be open; the rest is asked to come again; a stop ends them", async () => {
  const small = await servers.start({ env: { IGGY_LIMITS_SUBSCRIPTIONS: "2" } });
  const root = await small.connect();
  const topic = await freshTopic(root, 1);
  const client = await HttpTestClient.login(small);
  const first = await Events.open(client, topic, 0);
  await Events.open(client, topic, 0);
  expect((await Events.open(client, topic, 0)).status).toBe(503);
  const ended = first.text();
  await small.stop();
  expect(await ended).toBe(":\n\n");
});

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const stored = fc.record({
  payload: fc.oneof(
    bytes(300),
    fc.constantFrom(98_304, 98_240, 250_000).map((size) => new Uint8Array(size).fill(7)),
  ),
  userHeaders: fc.constant(new Uint8Array(0)),
});

test("property: each message is one event in one line, however the pieces fall", () => {
  fc.assert(
    fc.property(
      fc.array(stored, { minLength: 1, maxLength: 6 }),
      fc.bigInt({ min: 0n, max: 2n ** 60n }),
      (messages, first) => {
        const all = messages.map((message, index) => ({
          checksum: 1n,
          id: 2n,
          offset: first + BigInt(index),
          timestampMicros: 3n,
          originTimestampMicros: 4n,
          reserved: 0n,
          ...message,
        }));
        const reply = encode(pollMessagesReplyCodec, { partitionId: 0, currentOffset: 0n, messages: all });
        const part = reply.slice(pollReplyHeadBytes);
        const pieces = new MessagePieces(
          { parts: [{ kind: "bytes", bytes: part }], sizeBytes: part.byteLength },
          eventText,
        );
        let text = "";
        const out = new JsonBytes(256 * 1024);
        while (!pieces.isDone) {
          out.clear();
          pieces.writeNext(out);
          text += new TextDecoder().decode(out.written);
        }
        const events = text.split("\n\n");
        expect(events.pop()).toBe("");
        expect(events).toHaveLength(all.length);
        for (const [index, event] of events.entries()) {
          const [id, data, ...more] = event.split("\n");
          expect(more).toEqual([]);
          expect(id).toBe(`id: ${all[index]!.offset}`);
          expect(data!.startsWith("data: ")).toBe(true);
          expect(Uint8Array.fromBase64(JSON.parse(data!.slice(6)).payload)).toEqual(all[index]!.payload);
        }
      },
    ),
    { numRuns: 60 },
  );
});
