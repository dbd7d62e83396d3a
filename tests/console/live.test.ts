// The socket on which the console is told what happens.
import { describe, expect, test } from "bun:test";
import { decodePolledMessages } from "../../src/protocol/message/poll-messages.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

const servers = useServers();
const server = await servers.start({ shards: 2 });
const root = await server.connect();
await root.createStream("orders");
await root.createTopic("orders", { name: "payments", partitionsCount: 2 });

type Frame = Readonly<Record<string, unknown>>;

/** A page's side of /ui/live. */
class Live {
  readonly frames: Frame[] = [];
  /** Of channel 1: `partition:offset`. */
  readonly messages: string[] = [];
  batchesCount = 0;
  readonly ended: Promise<number>;
  readonly opened: Promise<boolean>;
  readonly #socket: WebSocket;

  constructor(client: ConsoleTestClient, headers: Readonly<Record<string, string>> = {}) {
    const options: Bun.WebSocketOptions = { headers: { origin: client.origin, cookie: client.cookie, ...headers } };
    this.#socket = new WebSocket(`${client.origin.replace("http", "ws")}/ui/live`, options);
    this.#socket.binaryType = "arraybuffer";
    const opened = Promise.withResolvers<boolean>();
    const ended = Promise.withResolvers<number>();
    this.#socket.onopen = () => opened.resolve(true);
    this.#socket.onclose = ({ code }) => {
      opened.resolve(false);
      ended.resolve(code);
    };
    this.#socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === "string") this.frames.push(JSON.parse(data));
      else this.#take(new Uint8Array(data));
    };
    this.opened = opened.promise;
    this.ended = ended.promise;
  }

  send(request: unknown): void {
    this.#socket.send(typeof request === "string" ? request : JSON.stringify(request));
  }

  close(): void {
    this.#socket.close();
  }

  #take(bytes: Uint8Array): void {
    expect(new DataView(bytes.buffer).getUint32(0, true)).toBe(1);
    const { partitionId, messages } = decodePolledMessages(bytes.subarray(4));
    this.batchesCount++;
    this.messages.push(...messages.map(({ offset }) => `${partitionId}:${offset}`));
  }
}

async function openLive(body?: object): Promise<Live> {
  const live = new Live(await ConsoleTestClient.signIn(server, body));
  expect(await live.opened).toBe(true);
  return live;
}

async function send(partitionId: number, count: number, sizeBytes = 1, topic = "payments"): Promise<void> {
  const messages = Array.from({ length: count }, () => ({ payload: new Uint8Array(sizeBytes) }));
  const partitioning = { kind: "partition", partitionId } as const;
  await root.sendMessages({ stream: "orders", topic, partitioning, messages });
}

function tail(args: object = {}, credit = 4) {
  return { op: "open", id: 1, channel: "tail", args: { stream: "orders", topic: "payments", ...args }, credit };
}

/** Waits until what has been sent is carried out: the answer to what comes behind it is there. */
async function settled(live: Live): Promise<void> {
  live.send({ ...tail({ stream: "none" }), id: 99 });
  await eventually(
    "an answer",
    () => live.frames.length,
    (count) => count > 0,
  );
  expect(live.frames.splice(0)).toMatchObject([{ id: 99, type: "end" }]);
}

async function lasts(live: Live, ...messages: readonly string[]): Promise<void> {
  await eventually(
    "messages",
    () => live.messages,
    (found) => Bun.deepEquals(found, messages),
  );
}

describe("a tail", () => {
  test("begins behind what is there, on every shard, and has each message once", async () => {
    await send(0, 2);
    const live = await openLive();
    live.send(tail());
    await settled(live);
    await send(0, 1);
    await lasts(live, "0:2");
    await send(1, 2);
    await lasts(live, "0:2", "1:0", "1:1");
    await send(0, 1);
    await lasts(live, "0:2", "1:0", "1:1", "0:3");
    live.close();
  });

  test("goes on from offsets, and gets no more batches than it has credit for", async () => {
    await root.createTopic("orders", { name: "large", partitionsCount: 1 });
    for (let count = 0; count < 6; count++) await send(0, 1, 200_000, "large");
    const live = await openLive();
    live.send(tail({ topic: "large", partitions: [0], from: { "0": "1" } }, 2));
    await lasts(live, "0:1", "0:2");
    live.send({ op: "credit", id: 1, n: 1 });
    await lasts(live, "0:1", "0:2", "0:3");
    expect(live.batchesCount).toBe(3); // of 256 KiB at most
    live.send({ op: "credit", id: 1, n: 10 });
    await lasts(live, "0:1", "0:2", "0:3", "0:4", "0:5");
    live.close();
  });

  test("that is far behind goes on with the newest, and says what it leaves out", async () => {
    await root.createTopic("orders", { name: "many", partitionsCount: 1 });
    for (let count = 0; count < 3; count++) await send(0, 1000, 1, "many");
    const live = await openLive();
    live.send(tail({ topic: "many", from: { "0": "10" } }));
    await eventually(
      "the last one",
      () => live.messages.at(-1),
      (last) => last === "0:2999",
    );
    expect(live.frames).toEqual([{ id: 1, type: "skip", partition: 0, from: "10", to: "2499" }]);
    expect(live.messages).toHaveLength(500);
    await root.purgeTopic("orders", "many");
    await eventually(
      "the purge",
      () => live.frames.at(-1)?.type,
      (type) => type === "purged",
    );
    await send(0, 1, 1, "many");
    await eventually(
      "the first one",
      () => live.messages.at(-1),
      (last) => last === "0:0",
    );
    live.close();
  });

  test.each([
    [{ stream: "none" }, 1009],
    [{ topic: "none" }, 2010],
    [{ partitions: [7] }, 3007],
    [{ partitions: Array.from({ length: 33 }, (_, index) => index) }, 3],
  ])("of %o is refused with %d", async (args, code) => {
    const live = await openLive();
    live.send(tail(args));
    await eventually(
      "an end",
      () => live.frames.length,
      (count) => count === 1,
    );
    expect(live.frames).toMatchObject([{ id: 1, type: "end", error: { code } }]);
    live.close();
  });

  test("ends with the right to poll, with the topic, and with the user", async () => {
    await root.createTopic("orders", { name: "short", partitionsCount: 1 });
    const mayPoll = { global: { ...noGlobalRights, pollMessages: true }, streams: [] };
    await root.createUser({ username: "ann", password: "secret", permissions: mayPoll });
    const live = await openLive({ username: "ann", password: "secret" });
    live.send(tail());
    live.send({ ...tail({ topic: "short" }), id: 3 });
    live.send({ op: "open", id: 2, channel: "changes" });
    await settled(live);
    await root.deleteTopic("orders", "short");
    await eventually(
      "an end",
      () => live.frames,
      (frames) => frames.some(({ id }) => id === 3),
    );
    expect(live.frames).toMatchObject([{ id: 3, type: "end", error: { code: 2010 } }]);
    await root.updatePermissions("ann", { global: noGlobalRights, streams: [] });
    await eventually(
      "an end",
      () => live.frames,
      (frames) => frames.some(({ id }) => id === 1),
    );
    // The own rights are told; streams, which the user may not see, are not.
    expect(live.frames.slice(1)).toMatchObject([
      { id: 1, type: "end", error: { code: 41 } },
      { id: 2, type: "data", kind: "user" },
    ]);
    await root.deleteUser("ann");
    expect(await live.ended).toBe(4401);
  });
});

describe("changes", () => {
  test("are told by kind, and many in a short time as few", async () => {
    const live = await openLive();
    live.send({ op: "open", id: 5, channel: "changes" });
    await settled(live);
    await root.createStream("burst");
    for (let number = 0; number < 50; number++) {
      await root.createTopic("burst", { name: `t${number}`, partitionsCount: 1 });
    }
    await root.createConsumerGroup("burst", "t0", "g");
    await eventually(
      "all kinds",
      () => live.frames,
      (frames) => frames.some(({ kind }) => kind === "group"),
    );
    const told = live.frames.filter(({ type }) => type === "data");
    expect(told[0]).toEqual({ id: 5, type: "data", kind: "stream", streamId: (await root.getStream("burst"))!.id });
    expect(told.filter(({ kind }) => kind === "topic").length).toBeLessThan(50);
    live.close();
  });
});

describe("metrics", () => {
  test("come at once and then every few seconds, to who may read servers", async () => {
    const live = await openLive();
    live.send({ op: "open", id: 6, channel: "metrics" });
    await eventually(
      "a sample",
      () => live.frames.length,
      (count) => count === 1,
    );
    await send(0, 1);
    const sum = (name: string) =>
      live.frames.reduce((total, frame) => total + ((frame.values as Record<string, number | null>)[name] ?? 0), 0);
    const counted = ["in.messages", "in.bytes", "sends", "p99.send"];
    await eventually(
      "what was sent is counted",
      () => counted.map(sum),
      (sums) => sums.every((total) => total > 0),
    );
    const [first, second] = live.frames as unknown as { at: string; values: Record<string, number | null> }[];
    expect(Number(second?.at)).toBeGreaterThan(Number(first?.at));
    for (const name of [
      "in.bytes",
      "out.bytes",
      "out.messages",
      "errors",
      "clients",
      "memory",
      "cpu",
      "disk.free",
      "loop.1",
    ]) {
      expect([name, second?.values[name]]).toEqual([name, expect.any(Number)]);
    }
    live.close();

    await root.createUser({ username: "eve", password: "secret" });
    const other = await openLive({ username: "eve", password: "secret" });
    other.send({ op: "open", id: 6, channel: "metrics" });
    await eventually(
      "an end",
      () => other.frames.length,
      (count) => count === 1,
    );
    expect(other.frames).toMatchObject([{ id: 6, type: "end", error: { code: 41 } }]);
    other.close();
    await root.deleteUser("eve");
  });
});

describe("how far groups are behind", () => {
  const place = { stream: "orders", topic: "payments", group: "billing" };

  test("is told again and again, and no more to who may not read the topic", async () => {
    await root.createConsumerGroup("orders", "payments", "billing");
    const permissions = { global: { ...noGlobalRights, readTopics: true }, streams: [] };
    await root.createUser({ username: "fay", password: "secret", permissions });
    const live = await openLive({ username: "fay", password: "secret" });
    live.send({ op: "open", id: 7, channel: "lag", args: place });
    live.send({ op: "open", id: 8, channel: "groups", args: { sort: "lag", q: "bill", limit: 10 } });
    const framesOf = (id: number) => live.frames.filter((frame) => frame.id === id);
    await eventually(
      "both, and one again",
      () => [framesOf(7).length, framesOf(8).length],
      ([lag = 0, groups = 0]) => lag >= 2 && groups >= 1,
    );
    expect(framesOf(7)[0]).toMatchObject({ type: "lag", value: { members: [], partitions: [{ id: 0 }, { id: 1 }] } });
    expect(framesOf(8)[0]).toMatchObject({ type: "groups", value: { items: [{ name: "billing" }] } });
    await root.updatePermissions("fay", { global: noGlobalRights, streams: [] });
    await eventually(
      "its end",
      () => framesOf(7).at(-1),
      (frame) => frame?.type === "end",
    );
    expect(framesOf(7).at(-1)).toMatchObject({ error: { code: 41 } });
    live.close();
    await root.deleteUser("fay");
  });

  test("of a group that is deleted is over", async () => {
    const live = await openLive();
    live.send({ op: "open", id: 7, channel: "lag", args: place });
    await eventually(
      "a frame",
      () => live.frames.length,
      (count) => count > 0,
    );
    await root.deleteConsumerGroup("orders", "payments", "billing");
    await eventually(
      "its end",
      () => live.frames.at(-1),
      (frame) => frame?.type === "end",
    );
    expect(live.frames.at(-1)).toMatchObject({ id: 7, error: { code: 5000 } });
    live.close();
  });
});

describe("the socket", () => {
  test("is for who is signed in, from the console's page, and ends with the session", async () => {
    const client = await ConsoleTestClient.signIn(server);
    expect(await new Live(client, { origin: "http://127.0.0.1:1" }).opened).toBe(false);
    expect(await new Live(client, { cookie: "" }).opened).toBe(false);
    expect((await client.request("GET", "/ui/live")).status).toBe(426);
    const live = new Live(client);
    expect(await live.opened).toBe(true);
    await client.request("DELETE", "/ui/api/session");
    expect(await live.ended).toBe(4401);
  });

  test.each([
    "",
    "null",
    "[]",
    '{"op":"open"}',
    '{"op":"open","id":1,"channel":"nothing"}',
    '{"op":"open","id":1,"channel":"tail","args":{"stream":1,"topic":"t"},"credit":1}',
    '{"op":"open","id":1,"channel":"tail","args":{"stream":"s","topic":"t","partitions":[-1]},"credit":1}',
    '{"op":"open","id":1,"channel":"lag","args":{"stream":"s","topic":"t"}}',
    '{"op":"open","id":1,"channel":"groups","args":{"sort":"size","q":"","limit":1}}',
    '{"op":"open","id":1,"channel":"groups","args":{"sort":"lag","q":"","limit":501}}',
    '{"op":"open","id":-1,"channel":"changes"}',
    '{"op":"credit","id":1,"n":"many"}',
    "x".repeat(70_000),
  ])("ends at %p, which is no request", async (text) => {
    const live = await openLive();
    live.send(text);
    expect(await live.ended).toBe(1008);
  });

  test("has eight channels at most", async () => {
    const live = await openLive();
    for (let id = 0; id < 9; id++) live.send({ op: "open", id, channel: "changes" });
    await eventually(
      "a refusal",
      () => live.frames.length,
      (count) => count === 1,
    );
    expect(live.frames).toMatchObject([{ id: 8, type: "end", error: { code: 3 } }]);
    live.close();
  });

  test("costs nothing when it is closed, and the log has no error", async () => {
    const live = await openLive();
    live.send(tail());
    live.close();
    await live.ended;
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  });
});
