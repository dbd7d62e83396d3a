// The data directory that the original wrote (tests/golden/data-directory), served by this broker.
import { expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";

interface Answer {
  readonly code: number;
  readonly payload: string;
  readonly status: number;
  readonly reply: string;
}

const golden = join(import.meta.dir, "../golden");
const answers: Readonly<Record<string, Answer>> = JSON.parse(readFileSync(join(golden, "data-directory.json"), "utf8"));
const servers = useServers();

/** What the server answers differently from the original, by name of the question. */
async function differences(server: { readonly host: string; readonly port: number }): Promise<string[]> {
  const client = await WireClient.connect(server);
  await client.login();
  const found: string[] = [];
  for (const [name, { code, payload, status, reply }] of Object.entries(answers)) {
    const answer = await client.request(code, Uint8Array.fromHex(payload));
    if (answer.status === status && answer.payload.toHex() === reply) continue;
    found.push(`${name}: ${answer.status} ${answer.payload.toHex()}, not ${status} ${reply}`);
  }
  client.close();
  return found;
}

test.each([1, 2])("answers as the original does, and again after a restart (%d shards)", async (shards) => {
  const server = await servers.start({ shards, dataFrom: join(golden, "data-directory") });
  expect(await differences(server)).toEqual([]);
  await server.logged(/took over the metadata of an Iggy server.*log\.iggy/);
  await server.restart();
  expect(await differences(server)).toEqual([]);
  expect(server.log).not.toMatch(/took over/);

  const state = join(server.dataPath, "state");
  expect(readFileSync(join(state, "log.iggy"))).toEqual(readFileSync(join(golden, "data-directory/state/log")));
  expect(existsSync(join(state, "log"))).toBe(false);
  // The messages are served where they lie.
  const partition = "streams/0/topics/0/partitions/0/00000000000000000000.log";
  expect(readFileSync(join(server.dataPath, partition))).toEqual(
    readFileSync(join(golden, "data-directory", partition)),
  );
});

test("goes on after what is there: new messages, new streams", async () => {
  const server = await servers.start({ dataFrom: join(golden, "data-directory") });
  const client = await server.connect();
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  const messages = [{ payload: new TextEncoder().encode("new") }];
  await client.sendMessages({ stream: 0, topic: 0, partitioning, messages });
  expect((await client.createStream("later")).id).toBe(2);
  const topic = await client.getTopic(0, 0);
  expect(topic!.partitions[0]).toMatchObject({ messagesCount: 53n, currentOffset: 52n });
  await client.close();
});

test("an entry that cannot be read stops the start, is named, and nothing is changed", async () => {
  const directory = servers.makeDirectory();
  const state = join(directory, "data/state");
  cpSync(join(golden, "data-directory"), join(directory, "data"), { recursive: true });
  truncateSync(join(state, "log"), readFileSync(join(state, "log")).byteLength - 3);
  const { exitCode, stdout } = await servers.run({}, directory);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/entry 13 .*torn/);
  expect(stdout).not.toMatch(/\n +at /);
  expect(readdirSync(state).toSorted()).toEqual(["info", "log"]);
});
