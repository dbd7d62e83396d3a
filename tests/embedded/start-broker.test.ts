// `startBroker`: the broker inside a test, with time, disk and network in the test's hands.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, IggyError, type Reader, type Topic, text } from "../../src/client/index.bun.ts";
import { type BrokerOptions, startBroker } from "../../src/embedded/index.ts";

setDefaultTimeout(60_000);

type Bytes = Topic<Uint8Array, Uint8Array>;

async function all(reader: Reader<Uint8Array>): Promise<number[]> {
  const values: number[] = [];
  for await (const { value } of reader) values.push(value[0] ?? -1);
  return values;
}

const stored = (topic: Bytes) => all(topic.reader({ follow: false }));
const one = (value: number) => ({ value: Uint8Array.of(value) });

async function errorOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return IggyError.is(error) ? error.errorName : String(error);
}

test("an order is stored once", async () => {
  await using broker = await startBroker({ config: { "system.message_deduplication.enabled": true } });
  const topic = await broker.freshTopic();
  const sent = topic.producer().send({ value: Uint8Array.of(1) });
  broker.network.cutAfterBytes(0); // nothing comes back any more
  await broker.clock.advance(1_000);
  expect((await sent).attempts).toBe(2);
  expect(await Array.fromAsync(topic.reader({ follow: false }))).toHaveLength(1);
});

test("so it is over WebSocket", async () => {
  const config = { "system.message_deduplication.enabled": true };
  await using broker = await startBroker({ transports: ["websocket"], config });
  const topic = await broker.freshTopic();
  const sent = topic.producer().send(one(1));
  broker.network.cutAfterBytes(0);
  await broker.clock.advance(1_000);
  expect((await sent).attempts).toBe(2);
  expect(await stored(topic)).toEqual([1]);
});

test("without deduplication it is stored twice", async () => {
  await using broker = await startBroker();
  const topic = await broker.freshTopic();
  const sent = topic.producer().send(one(1));
  broker.network.cutAfterBytes(0);
  await broker.clock.advance(1_000);
  expect((await sent).attempts).toBe(2);
  expect(await stored(topic)).toEqual([1, 1]);
});

test.each([
  ["the TCP transport", "tcp"],
  ["the WebSocket transport", "websocket"],
] as const)("clients reach it over %s", async (_, transport) => {
  await using broker = await startBroker({ transports: [transport] });
  await using client = await connect(broker.url(transport));
  const topic = client.topic("shop", "orders", text);
  await topic.ensure({ partitionsCount: 2 });
  await topic.send({ value: "hello", partitionId: 1 });
  const [message, ...more] = await Array.fromAsync(topic.reader({ follow: false }));
  expect({ value: message?.value, partitionId: message?.partitionId, more }).toEqual({
    value: "hello",
    partitionId: 1,
    more: [],
  });
});

test("HTTP is served at its own port; a transport that is not on has no URL", async () => {
  await using broker = await startBroker({ transports: ["http", "tcp"] });
  const topic = await broker.freshTopic();
  await topic.send(one(7));
  const login = await fetch(`${broker.url("http")}/users/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "iggy", password: "iggy" }),
  });
  expect(login.status).toBe(200);
  const { access_token: token } = (await login.json()) as { access_token: { token: string } };
  const streams = await fetch(`${broker.url("http")}/streams`, { headers: { authorization: `Bearer ${token.token}` } });
  expect(await streams.json()).toMatchObject([{ messages_count: 1 }]);
  expect(() => broker.url("websocket")).toThrow('does not listen for "websocket"');
});

test("keys that do not exist or break their rule are named", async () => {
  const start = (config: NonNullable<BrokerOptions["config"]>) => errorOf(startBroker({ config }));
  expect(await start({ "system.message_deduplicaton.enabled": true })).toContain(
    "unknown key system.message_deduplicaton",
  );
  expect(await start({ "system.segmnt.size": "1 MiB" })).not.toContain("ignored");
  expect(await start({ "system.segment.size": "1 B" })).toContain("system.segment.size");
  expect(await start({ "tcp.tls.enabled": true })).toContain("tcp.tls.enabled");
});

test("a transport that there is not is refused, with those that there are", async () => {
  const transports = ["tcp", "quic"] as unknown as NonNullable<BrokerOptions["transports"]>;
  expect(await errorOf(startBroker({ transports }))).toBe(
    'TypeError: transports: "quic" is none of tcp, websocket, http',
  );
});

test("a password that is wrong is refused, and users come in with theirs", async () => {
  await using broker = await startBroker();
  const { host } = new URL(broker.url().replace("iggy:", "http:"));
  expect(await errorOf(connect(`iggy://iggy:wrong@${host}`))).toBe("InvalidCredentials");
  const client = await broker.client();
  await client.createUser({ username: "ann", password: "secret-of-ann" });
  await using ann = await connect(`iggy://ann:secret-of-ann@${host}`);
  expect(ann.server.username).toBe("ann");
});

describe("a broker that goes and comes back", () => {
  test.each([["memory"], ["temporary"]] as const)("keeps what it acknowledged: killed, storage %p", async (storage) => {
    await using broker = await startBroker({ storage });
    const topic = await broker.freshTopic();
    await topic.send([one(1), one(2)]);
    const url = broker.url();
    await broker.kill();
    expect(await errorOf(connect(url))).toBe("CannotEstablishConnection");
    await broker.restart();
    expect(broker.url()).toBe(url);
    await broker.clock.advance(5_000); // clients come back after a pause
    await topic.send(one(3));
    expect(await stored(topic)).toEqual([1, 2, 3]);
  });

  test("keeps everything when it is stopped, also what waits in memory", async () => {
    await using broker = await startBroker({ config: { "system.partition.acknowledge": "memory" } });
    const topic = await broker.freshTopic();
    await topic.send(one(1));
    await broker.stop();
    await broker.restart();
    await broker.clock.advance(5_000);
    expect(await stored(topic)).toEqual([1]);
    await topic.send(one(2));
    await broker.kill();
    await broker.restart();
    expect(await stored(topic)).toEqual([1]);
  });

  test("loses what was not synced in a power cut, and at level sync nothing", async () => {
    for (const [level, expected] of [
      ["write", []],
      ["sync", [1]],
    ] as const) {
      await using broker = await startBroker({ config: { "system.partition.acknowledge": level } });
      const client = await broker.client();
      await client.createStream("shop");
      await client.createTopic("shop", { name: "orders", partitionsCount: 1 });
      await broker.clock.advance(31_000); // the saver's interval: stream and topic are on the disk
      const topic = client.topic("shop", "orders");
      await topic.send(one(1));
      broker.disk.loseUnsynced();
      await broker.kill();
      await broker.restart();
      const after = (await broker.client()).topic("shop", "orders");
      expect(await stored(after)).toEqual([...expected]);
    }
  });

  test("goes on in a directory that is kept", async () => {
    const directory = mkdtempSync(join(tmpdir(), "whippet-kept-"));
    try {
      const options = { storage: { directory } };
      const send = async (value: number) => {
        await using broker = await startBroker(options);
        const topic = (await broker.client()).topic("shop", "orders");
        await topic.ensure({ partitionsCount: 1 });
        await topic.send(one(value));
        expect(await errorOf(startBroker(options))).toContain("is in use");
        return await stored(topic);
      };
      expect(await send(1)).toEqual([1]);
      expect(await send(2)).toEqual([1, 2]);
      expect(existsSync(join(directory, "streams"))).toBe(true);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("the disk", () => {
  test.each([
    ["memory"],
    ["temporary"],
  ] as const)("without room refuses sends, serves reads and heals: %p", async (storage) => {
    await using broker = await startBroker({ storage });
    const topic = await broker.freshTopic();
    await topic.send(one(1));
    broker.disk.failWrites("ENOSPC");
    expect(await errorOf(topic.send(one(2)))).toBe("CannotAppendToFile");
    expect(await stored(topic)).toEqual([1]);
    broker.disk.heal();
    await topic.send(one(3));
    expect(await stored(topic)).toEqual([1, 3]);
  });

  test("counts the writes that still succeed", async () => {
    await using broker = await startBroker();
    const topic = await broker.freshTopic();
    await topic.send(one(1));
    broker.disk.failWrites("EIO", 1);
    await topic.send(one(2));
    expect(await errorOf(topic.send(one(3)))).toBe("CannotAppendToFile");
    broker.disk.heal();
    expect(await stored(topic)).toEqual([1, 2]);
  });

  test("that cannot sync answers with 10009, and the partition takes nothing until a restart", async () => {
    await using broker = await startBroker({ config: { "system.partition.acknowledge": "sync" } });
    const topic = await broker.freshTopic();
    await topic.send(one(1));
    broker.disk.failSyncs();
    expect(await errorOf(topic.send(one(2)))).toBe("CannotSyncFile");
    broker.disk.heal();
    expect(await errorOf(topic.send(one(3)))).toBe("CannotSyncFile");
    await broker.restart();
    await broker.clock.advance(5_000);
    await topic.send(one(4));
    expect((await stored(topic)).filter((value) => value !== 2)).toEqual([1, 4]);
  });

  test("that is slow takes its time by the clock", async () => {
    await using broker = await startBroker({ config: { "system.partition.acknowledge": "sync" } });
    const topic = await broker.freshTopic();
    broker.disk.slow(500);
    let isDone = false;
    const sent = topic.send(one(1)).then(() => {
      isDone = true;
    });
    await broker.clock.advance(499);
    expect(isDone).toBe(false);
    await broker.clock.advance(600);
    expect(isDone).toBe(true);
    await sent;
  });

  test("in a directory loses nothing on demand", async () => {
    await using broker = await startBroker({ storage: "temporary" });
    expect(() => broker.disk.loseUnsynced()).toThrow(TypeError);
  });
});

describe("the clock", () => {
  test("stands still, and gives messages their times", async () => {
    await using broker = await startBroker();
    const topic = await broker.freshTopic();
    const startMicros = broker.clock.nowMicros();
    await topic.send(one(1));
    await broker.clock.advance(60_000);
    await topic.send(one(2));
    expect(broker.clock.nowMicros()).toBe(startMicros + 60_000_000);
    const messages = await Array.fromAsync(topic.reader({ follow: false }));
    expect(messages.map(({ timestampMicros }) => Number(timestampMicros) - startMicros)).toEqual([0, 60_000_000]);
    expect(messages.map(({ originTimestampMicros }) => Number(originTimestampMicros) / 1000)).toEqual(
      [0, 60_000].map((passedMs) => Math.floor(startMicros / 1000) + passedMs),
    );
  });

  test("lets tokens expire when their time is over, not before", async () => {
    await using broker = await startBroker();
    const client = await broker.client();
    const token = await client.createPersonalAccessToken("short", 10_000_000n);
    const url = broker.url().replace("iggy:iggy@", `${token}@`);
    await broker.clock.advance(9_000);
    await (await connect(url)).close();
    await broker.clock.advance(2_000);
    expect(await errorOf(connect(url))).toBe("PersonalAccessTokenExpired");
  });

  test("lets a producer linger, and ten minutes pass at once", async () => {
    await using broker = await startBroker();
    const topic = await broker.freshTopic();
    const producer = topic.producer({ lingerMs: 1_000 });
    const sent = producer.send(one(1));
    await broker.clock.advance(900);
    expect(producer.stats.sentMessages).toBe(0);
    await broker.clock.advance(200);
    expect((await sent).attempts).toBe(1);
    await broker.clock.advance(600_000);
    await topic.send(one(2));
    expect(await stored(topic)).toEqual([1, 2]);
    expect(await errorOf(broker.clock.advance(-1))).toContain("RangeError");
  });
});

describe("the network", () => {
  test("is cut: clients come back", async () => {
    await using broker = await startBroker();
    const client = await broker.client();
    const states: string[] = [];
    const followed = (async () => {
      for await (const { kind } of client.events()) if (states.push(kind) === 3) return;
    })();
    broker.network.cut();
    await broker.clock.advance(1_000);
    await followed;
    expect(states).toEqual(["disconnected", "reconnecting", "connected"]);
  });

  test("refuses new connections and keeps those that are open", async () => {
    await using broker = await startBroker();
    const client = await broker.client();
    broker.network.refuse(true);
    expect(await errorOf(connect(broker.url()))).toBe("CannotEstablishConnection");
    await client.ping();
    broker.network.refuse(false);
    await (await connect(broker.url(), { waitForServerMs: 10_000 })).close();
  });

  test("is held up, and goes on with all that was sent", async () => {
    await using broker = await startBroker();
    const topic = await broker.freshTopic();
    broker.network.pause();
    let isDone = false;
    const sent = topic.send(one(1)).then(() => {
      isDone = true;
    });
    await broker.clock.advance(1_000);
    expect(isDone).toBe(false);
    broker.network.resume();
    await sent;
    expect(await stored(topic)).toEqual([1]);
  });

  test("is cut behind what is still on its way", async () => {
    await using broker = await startBroker();
    const topic = await broker.freshTopic();
    await topic.send([one(1), one(2)]);
    broker.network.delay(50);
    const reading = stored(topic);
    broker.network.cutAfterBytes(60);
    for (let round = 0; round < 10; round++) await broker.clock.advance(500);
    expect(await reading).toEqual([1, 2]);
  });

  test("takes its time in each direction", async () => {
    await using broker = await startBroker();
    const client = await broker.client();
    broker.network.delay(100);
    let isDone = false;
    const pinged = client.ping().then(() => {
      isDone = true;
    });
    await broker.clock.advance(199);
    expect(isDone).toBe(false);
    await broker.clock.advance(1);
    await pinged;
  });

  test.each([
    ["tcp"],
    ["websocket"],
  ] as const)("cuts a reply in the middle, over %s, and a reader misses nothing", async (transport) => {
    await using broker = await startBroker({ transports: [transport] });
    const topic = await broker.freshTopic();
    const values = Array.from({ length: 50 }, (_, index) => index);
    await topic.send(values.map(one));
    const reading = stored(topic);
    broker.network.cutAfterBytes(1_000);
    for (let round = 0; round < 5; round++) await broker.clock.advance(1_000);
    expect(await reading).toEqual(values);
  });
});
