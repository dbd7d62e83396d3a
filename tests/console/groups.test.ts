// What the console is told about consumer groups and the parts of a topic, whom it is told, and how it moves a group.
import { describe, expect, test } from "bun:test";
import type {
  GroupLag,
  Groups,
  MovedOffsets,
  PartitionSegments,
  TopicOffsets,
  TopicPartitions,
} from "../../src/protocol/console/groups.ts";
import type { HistoryReply } from "../../src/protocol/console/history.ts";
import type { StreamPermissions, TopicPermissions } from "../../src/protocol/records/permissions.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { HttpTestClient } from "../transport/http-client.ts";
import { type ConsoleAnswer, ConsoleTestClient } from "./console-test-client.ts";

const servers = useServers();
const server = await servers.start({ shards: 2, env: { IGGY_SYSTEM_SEGMENT_SIZE: "1 MiB" } });
const root = await server.connect();
await root.createStream("orders");
const admin = await ConsoleTestClient.signIn(server);

const none = { pollMessages: false, readTopic: false, manageTopic: false, sendMessages: false };

/** A user with these rights on one topic, and nothing else. */
async function userWith(username: string, topicId: number, rights: Partial<TopicPermissions>) {
  const stream: StreamPermissions = {
    ...{ streamId: 0, manageStream: false, readStream: false, manageTopics: false, readTopics: false },
    ...{ pollMessages: false, sendMessages: false, topics: [{ topicId, ...none, ...rights }] },
  };
  await root.createUser({ username, password: "secret", permissions: { global: noGlobalRights, streams: [stream] } });
  return await ConsoleTestClient.signIn(server, { username, password: "secret" });
}

async function send(topic: string, partitionId: number, count: number, sizeBytes = 8): Promise<void> {
  const messages = Array.from({ length: count }, () => ({ payload: new Uint8Array(sizeBytes) }));
  const partitioning = { kind: "partition", partitionId } as const;
  await root.sendMessages({ stream: "orders", topic, partitioning, messages });
}

function numeric(value: number) {
  return { kind: "consumer", id: { kind: "numeric", value } } as const;
}

const groupConsumer = { kind: "group", id: { kind: "string", value: "billing" } } as const;

/** A group `billing` whose only member has read and left. `stored`: by partition. */
async function makeTopic(topic: string, counts: readonly number[], stored: readonly (number | undefined)[]) {
  const { id } = await root.createTopic("orders", { name: topic, partitionsCount: counts.length });
  await root.createConsumerGroup("orders", topic, "billing");
  await using member = await server.connect();
  await member.joinConsumerGroup("orders", topic, "billing");
  for (const [partitionId, count] of counts.entries()) {
    if (count > 0) await send(topic, partitionId, count);
    const offset = stored[partitionId];
    if (offset === undefined) continue;
    const place = { stream: "orders", topic, partitionId, consumer: groupConsumer };
    await member.storeConsumerOffset({ ...place, offset: BigInt(offset) });
  }
  await member.leaveConsumerGroup("orders", topic, "billing");
  return id;
}

async function get<T>(path: string, client = admin): Promise<T> {
  const answer = await client.request("GET", `/ui/api/${path}`);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return answer.json as T;
}

function move(body: object, client = admin, headers: Record<string, string> = {}): Promise<ConsoleAnswer> {
  const all = { stream: "orders", group: "billing", dryRun: false, ...body };
  return client.request("PUT", "/ui/api/group-offsets", { body: JSON.stringify(all), headers });
}

async function moved(body: object): Promise<MovedOffsets> {
  const answer = await move(body);
  expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
  return answer.json as MovedOffsets;
}

function lag(topic: string, client = admin): Promise<GroupLag> {
  return get<GroupLag>(`lag?stream=orders&topic=${topic}&group=billing`, client);
}

describe("the groups", () => {
  test("come by lag or by name, narrowed, page by page, with what they have not read on every shard", async () => {
    await makeTopic("far", [10, 20], [3, undefined]);
    await makeTopic("near", [10, 10], [9, 7]);
    await makeTopic("done", [1, 0], [0, undefined]);
    const all = await get<Groups>("groups");
    expect(all.items.map(({ topic, lag: messages }) => [topic, messages])).toEqual([
      ["far", "26"],
      ["near", "2"],
      ["done", "0"],
    ]);
    expect(all.items[0]).toMatchObject({ stream: "orders", name: "billing", members: 0, partitions: 2 });
    expect(BigInt(all.items[0]!.lastCommit!)).toBeGreaterThan(0n);
    expect(all.next).toBeUndefined();
    const topics = ({ items }: Groups) => items.map(({ topic }) => topic);
    expect(topics(await get<Groups>("groups?sort=name"))).toEqual(["done", "far", "near"]);
    expect(topics(await get<Groups>("groups?q=NEAR/bill"))).toEqual(["near"]);
    for (const sort of ["lag", "name"]) {
      const pages: string[] = [];
      let next: string | undefined;
      do {
        const after = next === undefined ? "" : `&after=${encodeURIComponent(next)}`;
        const page = await get<Groups>(`groups?sort=${sort}&limit=1${after}`);
        pages.push(...topics(page));
        next = page.next;
      } while (next !== undefined);
      expect(pages).toEqual(topics(await get<Groups>(`groups?sort=${sort}`)));
    }
  });

  test("say which fall further behind since somebody looks", async () => {
    await makeTopic("growth", [1], [0]);
    const row = async () => (await get<Groups>("groups?q=growth")).items[0];
    expect(await row()).toMatchObject({ lag: "0" });
    await send("growth", 0, 5);
    const grown = (found: Awaited<ReturnType<typeof row>>) => found?.lag === "5" && found.growing === true;
    await eventually("growing", row, grown);
    await moved({ topic: "growth", to: { kind: "latest" } });
    await eventually("not growing", row, (found) => found?.lag === "0" && found.growing === false);
  });

  test.each(["groups?sort=size", "groups?limit=0", "groups?limit=501", "groups?limit=x"])("refuse %s", async (path) => {
    expect((await admin.request("GET", `/ui/api/${path}`)).status).toBe(422);
  });

  test("refuse a place to go on that is none", async () => {
    const answer = await admin.request("GET", "/ui/api/groups?after=bm9uZQ");
    expect([answer.status, answer.json]).toMatchObject([400, { code: "invalid_format" }]);
  });
});

describe("a group", () => {
  test("is shown partition by partition, with what is sent and not committed, and who reads", async () => {
    await makeTopic("shown", [10, 5], [3, undefined]);
    const before = await lag("shown");
    expect(before).toMatchObject({
      members: [],
      more: 0,
      partitions: [
        { id: 0, first: "0", end: "10", stored: "3", lag: "6" },
        { id: 1, first: "0", end: "5", lag: "5" },
      ],
    });
    expect(before.partitions[1]).not.toContainKeys(["stored", "polled", "committedAt"]);
    expect(BigInt(before.partitions[0]!.unreadSince!)).toBeLessThanOrEqual(BigInt(before.at));
    await using member = await server.connect();
    await member.joinConsumerGroup("orders", "shown", "billing");
    const place = { stream: "orders", topic: "shown", partitionId: 1, consumer: groupConsumer };
    await member.pollMessages({ ...place, strategy: { kind: "next", value: 0n }, count: 3 });
    const after = await lag("shown");
    expect(after.members).toEqual([
      {
        clientId: expect.any(Number),
        partitions: [0, 1],
        user: "iggy",
        address: expect.stringMatching(/^127\.0\.0\.1:/),
      },
    ]);
    expect(after.partitions[1]).toMatchObject({ lag: "5", polled: "2" });
  });

  test("keeps users and addresses from who may not read servers", async () => {
    const id = await makeTopic("private", [1], [0]);
    const client = await userWith("reader", id, { readTopic: true });
    await using member = await server.connect();
    await member.joinConsumerGroup("orders", "private", "billing");
    expect((await lag("private", client)).members).toEqual([{ clientId: expect.any(Number), partitions: [0] }]);
  });

  test("has a history of a day, for who may see it", async () => {
    const id = await makeTopic("past", [10], [3]);
    await using member = await server.connect();
    await member.joinConsumerGroup("orders", "past", "billing");
    const path = "group-history?stream=orders&topic=past&group=billing&points=100";
    const last = async () => (await get<HistoryReply>(path)).series.lag?.at(-1);
    expect(await eventually("a sample", last, (value) => value != null)).toBe(6);
    const { series, start, step } = await get<HistoryReply>(path);
    expect(series.lag!.length).toBe(series.members!.length);
    const reachSeconds = (Number(step) / 1e6) * series.lag!.length;
    expect(reachSeconds).toBeGreaterThanOrEqual(86_400);
    expect(Number(start)).toBeLessThan(Date.now() * 1000);
    const other = await userWith("notThePast", id, { sendMessages: true });
    expect((await other.request("GET", `/ui/api/${path}`)).status).toBe(403);
    expect((await admin.request("GET", `/ui/api/${path}&from=yesterday`)).status).toBe(400);
  }, 60_000);

  test("that there is not is not found", async () => {
    for (const [path, code] of [
      ["lag?stream=none&topic=far&group=billing", "stream_id_not_found"],
      ["lag?stream=orders&topic=none&group=billing", "topic_id_not_found"],
      ["lag?stream=orders&topic=far&group=none", "consumer_group_id_not_found"],
    ] as const) {
      const answer = await admin.request("GET", `/ui/api/${path}`);
      expect([answer.status, answer.json]).toMatchObject([404, { code }]);
    }
    expect((await admin.request("GET", "/ui/api/lag?stream=orders&topic=far")).status).toBe(422);
  });
});

describe("a move of a group", () => {
  test("is only told when it is a dry run, and can be taken back as it was", async () => {
    await makeTopic("moved", [10, 5, 0], [3, undefined, undefined]);
    const changes = [
      { partition: 0, from: "4", to: "10", first: "0", end: "10" },
      { partition: 1, from: null, to: "5", first: "0", end: "5" },
      { partition: 2, from: null, to: null, first: "0", end: "0" },
    ];
    const body = { topic: "moved", to: { kind: "latest" } };
    expect(await moved({ ...body, dryRun: true })).toEqual({ applied: false, changes, members: [] });
    expect((await lag("moved")).partitions[0]).toMatchObject({ stored: "3" });
    expect(await moved(body)).toEqual({ applied: true, changes, members: [] });
    expect((await lag("moved")).partitions.map(({ lag: messages }) => messages)).toEqual(["0", "0", "0"]);
    const values = Object.fromEntries(changes.map(({ partition, from }) => [partition, from]));
    await moved({ topic: "moved", to: { kind: "each", values } });
    const { partitions } = await lag("moved");
    expect(partitions.map(({ stored }) => stored)).toEqual(["3", undefined, undefined]);
    await server.logged(/moved the offsets of a consumer group .*group=billing.*to=latest.*via=console.*by=iggy/);
  });

  test("goes to the first, to an offset and to a time, in some partitions or in all", async () => {
    await makeTopic("places", [10, 5], [3, 4]);
    const { partitions } = await lag("places");
    const unread = partitions[0]!.unreadSince!;
    const next = async (body: object) => {
      await moved({ topic: "places", ...body });
      return (await lag("places")).partitions.map(({ stored }) => stored ?? null);
    };
    expect(await next({ partitions: [1], to: { kind: "earliest" } })).toEqual(["3", null]);
    expect(await next({ to: { kind: "offset", value: "7" } })).toEqual(["6", "4"]);
    expect(await next({ to: { kind: "time", value: "1" } })).toEqual([null, null]);
    expect(await next({ partitions: [0], to: { kind: "time", value: String(2 ** 53) } })).toEqual(["9", null]);
    await Bun.sleep(2); // the clock of the broker goes on
    await send("places", 0, 1);
    const later = String(BigInt(unread) + 1n);
    expect(await next({ partitions: [0], to: { kind: "time", value: later } })).toEqual(["9", null]);
    await send("places", 0, 1);
    expect(await next({ partitions: [0], to: { kind: "earliest" } })).toEqual([null, null]);
  });

  test("is refused while there are members, who are named, unless it is forced", async () => {
    await makeTopic("busy", [10], [3]);
    await using member = await server.connect();
    await member.joinConsumerGroup("orders", "busy", "billing");
    const body = { topic: "busy", to: { kind: "earliest" } };
    const refused = await move(body);
    expect([refused.status, refused.json]).toMatchObject([
      409,
      { id: 409, code: "group_has_members", field: null, members: [{ partitions: [0], user: "iggy" }] },
    ]);
    expect(await moved({ ...body, dryRun: true })).toMatchObject({ members: [{ user: "iggy" }] });
    expect((await lag("busy")).partitions[0]).toMatchObject({ stored: "3" });
    expect(await moved({ ...body, force: true })).toMatchObject({ applied: true });
    expect((await lag("busy")).partitions[0]).not.toContainKey("stored");
    // What the member reads next is what it was moved to.
    const place = { stream: "orders", topic: "busy", partitionId: 0, consumer: groupConsumer };
    const { messages } = await member.pollMessages({ ...place, strategy: { kind: "next", value: 0n }, count: 1 });
    expect(messages.map(({ offset }) => offset)).toEqual([0n]);
  });

  test("is refused where something else comes next by now than was seen", async () => {
    await makeTopic("raced", [10], [3]);
    const body = { topic: "raced", to: { kind: "offset", value: "1" } };
    const refused = await move({ ...body, expected: { "0": "9" } });
    expect([refused.status, refused.json]).toMatchObject([409, { code: "offsets_changed", changes: [{ from: "4" }] }]);
    expect(await moved({ ...body, expected: { "0": "4" } })).toMatchObject({ applied: true });
  });

  test.each([
    [{ to: { kind: "nowhere" } }, 422],
    [{ to: { kind: "offset" } }, 422],
    [{ to: { kind: "offset", value: "-1" } }, 422],
    [{ to: { kind: "earliest" }, partitions: [7] }, 404],
    [{ to: { kind: "each", values: { "7": "1" } } }, 404],
    [{ to: { kind: "earliest" }, group: "none" }, 404],
  ])("that means nothing is refused: %j", async (body, status) => {
    expect((await move({ topic: "far", ...body })).status).toBe(status);
  });

  test("is not for a session that only reads, nor for the page of somebody else", async () => {
    const body = { topic: "far", dryRun: true, to: { kind: "earliest" } };
    const reader = await ConsoleTestClient.signIn(server, { username: "iggy", password: "iggy", readOnly: true });
    const refused = await move(body, reader);
    expect([refused.status, refused.json]).toMatchObject([403, { code: "unauthorized" }]);
    const strange = { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" };
    expect((await move(body, admin, strange)).json).toMatchObject({ code: "forbidden_origin" });
    expect((await move(body, admin, { "content-type": "text/plain" })).status).not.toBe(200);
    expect((await lag("far")).partitions[0]).toMatchObject({ stored: "3" });
  });
});

describe("the parts of a topic", () => {
  test("are its partitions, their segments, and the offset that keeps segments from being removed", async () => {
    await root.createTopic("orders", { name: "kept", partitionsCount: 2 });
    await root.createConsumerGroup("orders", "kept", "slow");
    for (let count = 0; count < 8; count++) await send("kept", 0, 1, 600_000);
    const place = { stream: "orders", topic: "kept", partitionId: 0 };
    await root.storeConsumerOffset({ ...place, consumer: numeric(7), offset: 4n });
    await root.storeConsumerOffset({ ...place, consumer: numeric(9), offset: 0n });
    await root.deleteSegments("orders", "kept", 0, 2);
    const offsets = await get<TopicOffsets>("offsets?stream=orders&topic=kept");
    expect(offsets).toEqual({
      items: [
        { kind: "consumer", id: 7, offsets: [{ partition: 0, offset: "4", end: "8" }] },
        { kind: "consumer", id: 9, offsets: [{ partition: 0, offset: "0", end: "8" }] },
      ],
      holdsRetention: [{ partition: 0, offset: "0", by: { kind: "consumer", id: 9 }, segments: 2 }],
    });
    const behind = await get<TopicOffsets>("offsets?stream=orders&topic=kept&after=consumer:7");
    expect(behind.items.map(({ id }) => id)).toEqual([9]);

    await root.deleteConsumerOffset({ ...place, consumer: numeric(9) });
    await root.deleteSegments("orders", "kept", 0, 2);
    const { items } = await get<TopicPartitions>("partitions?stream=orders&topic=kept");
    const { oldest } = items[0]!;
    expect(items).toMatchObject([
      { id: 0, first: "3", fenced: false, closed: false },
      { id: 1, first: "0", fenced: false, closed: false },
    ]);
    expect(new Set(items.map(({ shard }) => shard)).size).toBe(2);
    const segments = await get<PartitionSegments>("segments?stream=orders&topic=kept&partition=0");
    expect(segments.items.map(({ start, end, sealed }) => [start, end, sealed])).toEqual([
      ["3", "6", true],
      ["6", "8", false],
    ]);
    expect(Number(segments.items[0]!.bytes)).toBeGreaterThan(1_200_000);
    expect(segments.items[0]!.firstTimestamp).toBe(oldest!);
    expect((await get<PartitionSegments>("segments?stream=orders&topic=kept&partition=0&after=3")).items).toHaveLength(
      1,
    );
    const unknown = await admin.request("GET", "/ui/api/segments?stream=orders&topic=kept&partition=2");
    expect([unknown.status, unknown.json]).toMatchObject([404, { code: "partition_not_found" }]);
  });
});

describe("rights", () => {
  const paths = ["groups?q=rights", "lag", "offsets", "partitions", "segments", "group-offsets"] as const;
  const query = "stream=orders&topic=rights&group=billing&partition=0";

  /** Which of the paths answer, and whether the list of groups has anything. */
  async function allowed(client: ConsoleTestClient): Promise<readonly string[]> {
    const found: string[] = [];
    for (const path of paths) {
      const answer =
        path === "group-offsets"
          ? await move({ topic: "rights", dryRun: true, to: { kind: "earliest" } }, client)
          : await client.request("GET", `/ui/api/${path}${path.includes("?") ? "&" : "?"}${query}`);
      if (answer.status === 403) continue;
      expect([path, answer.status]).toEqual([path, 200]);
      if (path !== "groups?q=rights" || (answer.json as Groups).items.length > 0) found.push(path);
    }
    return found;
  }

  test("decide what is told, and whether a group may be moved", async () => {
    const id = await makeTopic("rights", [1], [0]);
    expect(await allowed(admin)).toEqual([...paths]);
    // Reading a topic allows polling it (spec SB 7.3).
    expect(await allowed(await userWith("readsTopic", id, { readTopic: true }))).toEqual([...paths]);
    expect(await allowed(await userWith("polls", id, { pollMessages: true }))).toEqual(["offsets"]);
    expect(await allowed(await userWith("sends", id, { sendMessages: true }))).toEqual([]);
    expect(await allowed(await userWith("elsewhere", 999, { manageTopic: true }))).toEqual([]);
    await server.logged(/refused a request .*command=moveGroupOffsets/);
  });

  test("are those of who is signed in, by the cookie or a token of the REST API", async () => {
    const nobody = new ConsoleTestClient(server);
    for (const path of paths) {
      const method = path === "group-offsets" ? "PUT" : "GET";
      const answer = await nobody.request(method, `/ui/api/${path}`, method === "PUT" ? { body: "{}" } : {});
      expect([answer.status, answer.json]).toMatchObject([401, { code: "unauthenticated" }]);
    }
    const { token } = await HttpTestClient.login(server);
    const headers = { authorization: `Bearer ${token}` };
    expect((await nobody.request("GET", "/ui/api/groups", { headers })).status).toBe(200);
    const wrong = await nobody.request("POST", "/ui/api/groups", { headers });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "HEAD,GET"]);
  });
});
