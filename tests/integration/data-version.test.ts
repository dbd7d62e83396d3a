// Data directories of other versions: what 0.1.0 wrote (recorded in `version-0.1.0`, by kill -9 after a clean restart) opens with
// the same content and goes on; what a later version wrote is left alone.
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeSnapshot } from "../../src/metadata/snapshot.ts";
import { createState } from "../../src/metadata/state.ts";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { Caller } from "../commands/caller.ts";
import { fromFirst, message, toFirst } from "../commands/world.ts";
import { openLog } from "../metadata/log-support.ts";
import { diskWith } from "../metadata/support.ts";
import { type TestServer, useServers } from "../support/server.ts";

const servers = useServers();
const recorded = join(import.meta.dir, "version-0.1.0");
/** Shown once when it was recorded. */
const aliceToken = "i20TG4bKjL9JiavUrjP53Y80czcKzmD9iIFY6lyHV7Gl0EIE/GYfwQFRvt3ILZT5dFM=";
const stream = nameId("orders");
const topic = nameId("eu");
const place = { stream, topic, partitionId: 0 } as const;

async function expectContent(server: TestServer, messagesCount: number): Promise<void> {
  const root = await Caller.withPassword(server, "iggy", "iggy");
  expect((await root.content("getStreams", undefined)).map(({ id, name }) => [id, name])).toEqual([[0, "orders"]]);
  const topics = await root.content("getTopics", { stream });
  expect(topics.map(({ name, partitionsCount }) => [name, partitionsCount])).toEqual([
    ["eu", 2],
    ["us", 1],
  ]);
  const consumer = { kind: "consumer", id: numericId(7) } as const;
  const polled = await root.content("pollMessages", { consumer, ...place, ...fromFirst, count: 100 });
  const texts = Array.from({ length: messagesCount }, (_, number) => `text ${number}`);
  expect(polled.messages.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(texts);
  const group = { kind: "group", id: nameId("billing") } as const;
  expect(await root.value("getConsumerOffset", { consumer, ...place })).toMatchObject({ storedOffset: 4n });
  expect(await root.value("getConsumerOffset", { consumer: group, ...place })).toMatchObject({ storedOffset: 6n });
  (await Caller.withPassword(server, "alice", "alice's own")).close();
  (await Caller.withToken(server, aliceToken)).close();
  root.close();
}

test("a directory of 0.1.0 opens with the same content, goes on, and opens again", async () => {
  const server = await servers.start({ dataFrom: recorded });
  await expectContent(server, 14);
  expect(server.log).not.toMatch(/ (WARN|ERROR) shard/);
  const root = await Caller.withPassword(server, "iggy", "iggy");
  await root.value("sendMessages", { stream, topic, partitioning: toFirst, messages: [message("text 14")] });
  root.close();
  await server.kill();
  await server.restart();
  await expectContent(server, 15);
  await server.stop();
}, 120_000);

test("no flipped bit in metadata that 0.1.0 wrote once prevents a start", () => {
  const state = join(recorded, "state");
  const files = Object.fromEntries(
    readdirSync(state).map((name) => [name, new Uint8Array(readFileSync(join(state, name)))]),
  );
  for (const [name, bytes] of Object.entries(files)) {
    for (let bit = 0; bit < bytes.byteLength * 8; bit += 11) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const opened = openLog(diskWith({ ...files, [name]: changed }));
      expect(opened.state.streams.byName.has("orders")).toBe(true);
      expect(opened.log.lastIndex).toBeGreaterThanOrEqual(8);
      if (name !== "metadata.log.previous") expect(opened.repairs.length).toBeGreaterThan(0);
    }
  }
}, 120_000);

test("a directory of a later version is refused in plain words, and nothing in it changes", async () => {
  const directory = servers.makeDirectory();
  const statePath = join(directory, "data/state");
  mkdirSync(statePath, { recursive: true });
  const snapshot = encodeSnapshot({ state: createState(), lastIndex: 0 });
  const view = new DataView(snapshot.buffer);
  view.setUint32(16, 99, true);
  view.setBigUint64(8, Bun.hash.xxHash3(snapshot.subarray(16)), true);
  writeFileSync(join(statePath, "metadata.snapshot"), snapshot);
  const { exitCode, stdout, stderr } = await servers.run({}, directory);
  expect(exitCode).toBe(1);
  expect(stdout + stderr).toContain("metadata.snapshot is of data version 99; this program knows versions 1 to 3");
  expect(readdirSync(statePath)).toEqual(["metadata.snapshot"]);
  expect(readFileSync(join(statePath, "metadata.snapshot"))).toEqual(Buffer.from(snapshot));
}, 120_000);
