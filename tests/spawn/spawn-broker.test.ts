// `spawnBroker`: a broker for tests as a process of its own, here from Bun; tests/spawn/package.test.ts has Node.
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, IggyError } from "../../src/client/index.bun.ts";
import { spawnBroker } from "../../src/spawn/index.bun.ts";

setDefaultTimeout(240_000);

const one = (value: number) => ({ value: Uint8Array.of(value) });

async function errorOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return IggyError.is(error) ? error.errorName : String(error);
}

test("is killed, started again at its ports, and has what it acknowledged", async () => {
  await using broker = await spawnBroker();
  const topic = await broker.freshTopic();
  await topic.send([one(1), one(2)]);
  const url = broker.url();
  await broker.kill();
  expect(await errorOf(connect(url))).toBe("CannotEstablishConnection");
  await broker.restart();
  expect(broker.url()).toBe(url);
  await topic.send(one(3));
  const messages = await Array.fromAsync(topic.reader({ follow: false }));
  expect(messages.map(({ value }) => value[0])).toEqual([1, 2, 3]);
});

test("a reply that is lost is made good, with the settings that were asked for", async () => {
  await using broker = await spawnBroker({ config: { "system.message_deduplication.enabled": true } });
  const topic = await broker.freshTopic();
  const sent = topic.producer().send(one(1));
  broker.network.cutAfterBytes(0);
  expect((await sent).attempts).toBe(2);
  expect(await Array.fromAsync(topic.reader({ follow: false }))).toHaveLength(1);
});

test("a key that does not exist, and a program that is none, are named; nothing stays", async () => {
  const before = process.env.TMPDIR;
  const own = mkdtempSync(join(tmpdir(), "spawn-broker-"));
  process.env.TMPDIR = own;
  try {
    expect(await errorOf(spawnBroker({ config: { "system.nothing": true } }))).toContain("IGGY_SYSTEM_NOTHING");
    expect(await errorOf(spawnBroker({ executable: join(own, "missing") }))).toContain("missing");
    expect(readdirSync(own)).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(own, { recursive: true });
  }
});

test("a directory that is named stays, with all that was sent", async () => {
  const directory = mkdtempSync(join(tmpdir(), "spawn-kept-"));
  try {
    for (const count of [1, 2]) {
      await using broker = await spawnBroker({ storage: { directory }, transports: ["websocket"] });
      const topic = (await broker.client()).topic("shop", "orders");
      await topic.ensure({ partitionsCount: 1 });
      await topic.send(one(count));
      expect(await Array.fromAsync(topic.reader({ follow: false }))).toHaveLength(count);
      expect(() => broker.url()).toThrow('does not listen for "tcp"');
    }
    expect(existsSync(join(directory, "streams"))).toBe(true);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
