// What the console is told of the broker's last minutes and days, to whom, and what is left of it after a restart.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HistoryReply } from "../../src/protocol/console/history.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { eventually } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

setDefaultTimeout(120_000);

const servers = useServers();
const names = [
  "in.messages",
  "in.bytes",
  "out.messages",
  "clients",
  "memory",
  "disk.free",
  "p99.send",
  "loop.0",
  "mailbox.1",
];

function ask(client: ConsoleTestClient, series: readonly string[], more = "") {
  return client.request("GET", `/ui/api/history?series=${series.join(",")}${more}`);
}

async function historyOf(client: ConsoleTestClient, series: readonly string[], more = ""): Promise<HistoryReply> {
  const { status, text, json } = await ask(client, series, more);
  if (status !== 200) throw new Error(`no history: ${text}`);
  return json as HistoryReply;
}

function known(points: readonly (number | null)[] | undefined): number[] {
  return (points ?? []).filter((value) => value !== null);
}

async function sendSome(server: TestServer) {
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "payments", partitionsCount: 2 });
  await root.createUser({ username: "ann", password: "secret", permissions: { global: noGlobalRights, streams: [] } });
  const partitioning = { kind: "partition", partitionId: 1 } as const;
  const messages = Array.from({ length: 100 }, () => ({ payload: new Uint8Array(100) }));
  await root.sendMessages({ stream: "orders", topic: "payments", partitioning, messages });
  return root;
}

test("the history has what was sent, outlives a restart with a gap, and a damaged file begins it anew", async () => {
  const server = await servers.start({ shards: 2 });
  let client = await ConsoleTestClient.signIn(server);
  await eventually(
    "a first sample",
    async () => known((await historyOf(client, ["memory"])).series.memory),
    (points) => points.length > 0,
  );
  const root = await sendSome(server);
  const { id: streamId } = (await root.getStream("orders"))!;
  const { id: topicId } = (await root.getTopic("orders", "payments"))!;
  const topic = `topic.${streamId}/${topicId}`;
  const before = await eventually(
    "what was sent",
    () => historyOf(client, names),
    ({ series }) => known(series["in.messages"]).some((value) => value > 0),
  );
  expect(Object.keys(before.series)).toEqual(names);
  expect(before.step).toBe("15000000"); // an hour in 300 points
  expect(before.gaps).toEqual([]);
  const lengths = new Set(Object.values(before.series).map((points) => points.length));
  expect([...lengths]).toHaveLength(1);
  for (const name of ["in.bytes", "out.messages", "clients", "memory", "disk.free", "loop.0", "mailbox.1"]) {
    expect([name, known(before.series[name]).length > 0]).toEqual([name, true]);
  }
  expect(known(before.series["p99.send"])[0]).toBeGreaterThan(0);
  // 100 messages within one step: their rate times the step is how many they were, however often it was looked meanwhile.
  const ofTopic = await historyOf(client, [`${topic}.in.messages`, `${topic}.size`]);
  expect(known(ofTopic.series[`${topic}.in.messages`])[0]).toBeGreaterThan(0);
  expect(known(ofTopic.series[`${topic}.size`]).at(-1)).toBeGreaterThan(10_000);

  // Who may see it.
  expect((await ask(new ConsoleTestClient(server), ["memory"])).status).toBe(401);
  const ann = await ConsoleTestClient.signIn(server, { username: "ann", password: "secret" });
  expect((await ask(ann, ["memory"])).status).toBe(403);
  expect((await ask(ann, [`${topic}.size`])).status).toBe(403);
  const readTopic = { manageTopic: false, readTopic: true, pollMessages: false, sendMessages: false };
  const rights = {
    manageStream: false,
    readStream: false,
    manageTopics: false,
    readTopics: false,
    pollMessages: false,
  };
  const streams = [{ streamId, ...rights, sendMessages: false, topics: [{ topicId, ...readTopic }] }];
  await root.updatePermissions("ann", { global: noGlobalRights, streams });
  expect((await ask(ann, [`${topic}.size`])).status).toBe(200);
  expect((await ask(ann, [`${topic}.size`, "memory"])).status).toBe(403);

  // By the names of the topic.
  const named = await historyOf(client, ["topic.size"], "&stream=orders&topic=payments");
  expect(known(named.series["topic.size"])).toEqual(known(ofTopic.series[`${topic}.size`]));
  expect((await ask(ann, ["topic.size"], "&stream=orders&topic=payments")).status).toBe(200);
  expect((await ask(client, ["topic.size"], "&stream=orders&topic=none")).status).toBe(404);
  expect((await ask(client, ["topic.size"])).status).toBe(400);
  expect((await ask(client, ["topic.nothing"], "&stream=orders&topic=payments")).status).toBe(400);

  // What is not there.
  expect((await ask(client, ["nothing"])).status).toBe(400);
  expect((await ask(client, ["p42.send"])).status).toBe(400);
  expect((await ask(client, ["send.0"])).status).toBe(400);
  expect(known((await historyOf(client, ["loop.9"])).series["loop.9"])).toEqual([]);
  expect((await ask(client, [])).status).toBe(400);
  expect((await ask(client, ["memory"], "&points=0")).status).toBe(400);
  expect((await ask(client, ["memory"], "&from=yesterday")).status).toBe(400);
  const short = await historyOf(client, ["memory"], "&ago=900000000");
  expect([short.step, short.series.memory!.length]).toEqual(["5000000", 181]);
  const few = await historyOf(client, ["memory"], "&points=10");
  expect(few.series.memory!.length).toBeLessThanOrEqual(11);

  root.close();
  await server.stop();
  await server.restart();
  client = await ConsoleTestClient.signIn(server);
  const after = await eventually(
    "a gap",
    () => historyOf(client, ["in.messages", `memory`], "&points=1000"),
    ({ gaps }) => gaps.length > 0,
  );
  expect(known(after.series["in.messages"]).some((value) => value > 0)).toBe(true);
  const [from, to] = after.gaps[0]!;
  expect(BigInt(to)).toBeGreaterThan(BigInt(from));
  expect(known((await historyOf(client, [`${topic}.size`])).series[`${topic}.size`]).length).toBeGreaterThan(0);

  await server.stop();
  const path = join(server.directory, "data/console/history");
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
  await server.restart();
  client = await ConsoleTestClient.signIn(server);
  const anew = await eventually(
    "a sample",
    () => historyOf(client, ["memory"]),
    ({ series }) => known(series.memory).length > 0,
  );
  expect(anew.gaps).toEqual([]);
  expect(server.log).toMatch(/WARN .*the history of the console cannot be read; it begins anew/);
});

test("without a history it is refused, nothing is written, and the numbers of now still come", async () => {
  const server = await servers.start({ env: { IGGY_OBSERVABILITY_HISTORY_ENABLED: "false" } });
  const client = await ConsoleTestClient.signIn(server);
  const answer = await ask(client, ["memory"]);
  expect([answer.status, answer.json]).toMatchObject([400, { code: "feature_unavailable" }]);
});
