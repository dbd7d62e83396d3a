// The HTTP API of 0.9 beside that of 0.8 (spec P9 12): what a client of 0.9 says is taken from everybody, what only it knows is
// told to nobody else.
import { beforeAll, describe, expect, test } from "bun:test";
import { useServers } from "../support/server.ts";
import { HttpTestClient } from "./http-client.ts";

const servers = useServers();
const login09 = { username: "iggy", password: "iggy", version: "0.11.0", context: "" };
const topics = "/streams/orders/topics";
const settings = { compression_algorithm: "none", message_expiry: 0, max_topic_size: 0 };
const sdkOptions = { durability: "replicated", consumer_offset_durability: "replicated" };
const message = { id: 0, payload: "eA==" };
const toFirst = { kind: "partition_id", value: "AAAAAA==" };

const server = await servers.start({ shards: 2 });
const of08 = await HttpTestClient.login(server);
const of09 = new HttpTestClient(server);

beforeAll(async () => {
  await of09.logIn("/users/login", login09);
  expect((await of09.request("POST", "/streams", { name: "orders" })).json).toMatchObject({ options: {} });
});

async function codeOf(method: string, path: string, body: unknown, client = of09): Promise<[number, unknown]> {
  const { status, json } = await client.request(method, path, body);
  return [status, (json as { id?: number } | undefined)?.id];
}

const create = (name: string, options: unknown, more: object = {}) => ({
  name,
  partitions_count: 1,
  ...settings,
  ...more,
  options,
});

async function topicOf(name: string, client = of09): Promise<Record<string, unknown>> {
  return (await client.request("GET", `${topics}/${name}`)).json as Record<string, unknown>;
}

describe("answers", () => {
  test("to a client of 0.8 have no options, whoever made the topic, and those to a client of 0.9 have", async () => {
    expect(await codeOf("POST", topics, create("seen", sdkOptions))).toEqual([200, expect.any(Number)]);
    for (const path of ["/streams", "/streams/orders", topics, `${topics}/seen`, "/users", "/users/iggy"]) {
      expect((await of08.request("GET", path)).text).not.toContain('"options"');
      expect((await of09.request("GET", path)).text).toContain('"options"');
    }
    expect(await topicOf("seen", of08)).toHaveProperty("replication_factor", 1);
    expect(await topicOf("seen")).not.toHaveProperty("replication_factor");
  });

  test("of a topic that a client of 0.8 made show its settings, none of them given", async () => {
    const made = await of08.request("POST", topics, { ...create("old", undefined), compression_algorithm: "gzip" });
    expect(made.text).not.toContain('"options"');
    const { options } = (await topicOf("old")) as { options: Record<string, { value: string; explicit: boolean }> };
    expect(options.compression_algorithm).toEqual({ value: "gzip", explicit: false });
    expect(Object.values(options).some(({ explicit }) => explicit)).toBe(false);
  });

  test("go with the login, over an exchange of the token", async () => {
    const client = new HttpTestClient(server);
    await client.logIn("/users/login", login09);
    await client.logIn("/users/refresh-token", { token: client.token });
    expect((await client.request("GET", "/streams")).text).toContain('"options"');
  });

  test.each([
    [undefined, false],
    ["0.10.0", false],
    ["0.8.0", false],
    ["rust-sdk", false],
    ["0.11.2", true],
    ["1.0.0", true],
  ] as const)("of a login with version %s: options %p", async (version, hasOptions) => {
    const client = new HttpTestClient(server);
    await client.logIn("/users/login", { ...login09, version });
    expect((await client.request("GET", "/streams")).text.includes('"options"')).toBe(hasOptions);
  });

  test("to who gives options have them, whatever the login said", async () => {
    const { json } = await of08.request("POST", topics, create("given", { durability: "persisted" }));
    expect(json).toMatchObject({ options: { durability: { value: "persisted", explicit: true } } });
  });
});

describe("a topic", () => {
  test("takes options as texts beside the settings, of which the options are right", async () => {
    const options = { ...sdkOptions, message_expiry: "7 days", segment_size: "1 GiB", preallocate_segments: "false" };
    const asked = create("texts", options, { message_expiry: 5_000_000, compression_algorithm: "GZIP" });
    const { json } = await of09.request("POST", topics, asked);
    expect(json).toMatchObject({
      compression_algorithm: "gzip",
      message_expiry: 7 * 86_400_000_000,
      options: {
        message_expiry: { value: "604800000000", explicit: true },
        segment_size: { value: "1073741824", explicit: true },
        compression_algorithm: { value: "gzip", explicit: true },
        max_topic_size: { value: "18446744073709551615", explicit: false },
      },
    });
  });

  test("keeps what is null in an update, with options and without", async () => {
    const options = { ...sdkOptions, message_expiry: "1 day" };
    await of09.request("POST", topics, create("kept", options, { compression_algorithm: "gzip" }));
    const nothing = { compression_algorithm: null, message_expiry: null, max_topic_size: null };
    const before = await topicOf("kept");
    expect(await codeOf("PUT", `${topics}/kept`, { name: "kept", ...nothing, options: {} })).toEqual([204, undefined]);
    expect(await topicOf("kept")).toEqual(before);
    expect(await codeOf("PUT", `${topics}/kept`, { name: "kept", ...nothing }, of08)).toEqual([204, undefined]);
    expect(await topicOf("kept")).toEqual(before);
    const change = { name: "kept", ...nothing, message_expiry: 0, options: { compression_algorithm: "none" } };
    expect(await codeOf("PUT", `${topics}/kept`, change)).toEqual([204, undefined]);
    expect(await topicOf("kept")).toMatchObject({
      compression_algorithm: "none",
      max_topic_size: before.max_topic_size,
    });
    expect((await topicOf("kept", of08)).message_expiry).not.toBe(86_400_000_000);
  });

  test.each([
    ["an unknown key", { colour: "red" }, 4041],
    ["a segment size that is none", { segment_size: "8388609" }, 4042],
    ["a value that cannot be read", { message_expiry: "soon" }, 4042],
    ["a size below that of a segment", { max_topic_size: "1000" }, 1019],
  ] as const)("is refused with %s", async (_, options, code) => {
    expect(await codeOf("POST", topics, create("refused", options))).toEqual([400, code]);
    expect((await of09.request("GET", `${topics}/refused`)).status).toBe(404);
  });

  test("takes no options of another shape", async () => {
    for (const options of [[], "x", { durability: 1 }, { durability: null }]) {
      expect((await of09.request("POST", topics, create("refused", options))).status).toBe(422);
    }
  });
});

test("streams and users take no option, but an empty list of them", async () => {
  const user = { username: "alice", password: "secret9", status: "active" };
  const asked = [
    ["POST", "/streams", { name: "second" }],
    ["PUT", "/streams/second", { name: "second" }],
    ["POST", "/users", user],
    ["PUT", "/users/alice", { username: "alice", status: null }],
  ] as const;
  for (const [method, path, body] of asked) {
    expect(await codeOf(method, path, { ...body, options: sdkOptions })).toEqual([400, 4041]);
    expect((await of09.request(method, path, { ...body, options: {} })).status).toBe(method === "PUT" ? 204 : 200);
  }
});

describe("what may be given", () => {
  test("is told by scope", async () => {
    const { json } = await of08.request("GET", "/options/topic");
    expect(json).toHaveLength(9);
    expect(json).toContainEqual({
      key: "preallocate_segments",
      kind: "bool",
      default_value: [0],
      description: expect.any(String),
    });
    expect((await of08.request("GET", "/options/stream")).json).toEqual([]);
    expect((await of08.request("GET", "/options/user")).json).toEqual([]);
  });

  test("to something else is no question; neither is one without a login", async () => {
    expect(await codeOf("GET", "/options/cluster", undefined)).toEqual([400, 3]);
    expect((await new HttpTestClient(server).request("GET", "/options/topic")).status).toBe(401);
  });
});

describe("a send", () => {
  test("is confirmed to a client of 0.9, with the durability of the topic", async () => {
    for (const name of ["replicated", "persisted"] as const) {
      const made = await of09.request("POST", topics, create(`sent-${name}`, { ...sdkOptions, durability: name }));
      const { id } = made.json as { id: number };
      for (const baseOffset of [0, 2]) {
        const body = { partitioning: toFirst, messages: [message, message] };
        const { status, json, headers } = await of09.request("POST", `${topics}/sent-${name}/messages`, body);
        expect([status, headers.get("iggy-durability")]).toEqual([201, name]);
        const place = { stream_id: 0, topic_id: id, partition_id: 0, base_offset: baseOffset };
        expect(json).toEqual({ confirmations: [place] });
      }
    }
  });

  test("has an empty answer for a client of 0.8", async () => {
    const body = { partitioning: toFirst, messages: [message] };
    const { status, text, headers } = await of08.request("POST", `${topics}/seen/messages`, body);
    expect([status, text, headers.get("iggy-durability")]).toEqual([201, "", null]);
  });

  test("with id 0 gets an id from the server, another for each", async () => {
    const path = `${topics}/sent-replicated/messages`;
    const { text } = await of09.request("GET", `${path}?partition_id=0&kind=first&count=2`);
    const ids = [...text.matchAll(/"id":(\d+)/g)].map(([, id]) => BigInt(id!));
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => id > 0n)).toBe(true);
  });

  test("that is refused is refused as ever", async () => {
    const body = { partitioning: toFirst, messages: [] };
    expect(await codeOf("POST", `${topics}/seen/messages`, body)).toEqual([400, 4009]);
    const lost = { partitioning: { kind: "partition_id", value: "BwAAAA==" }, messages: [message] };
    expect(await codeOf("POST", `${topics}/seen/messages`, lost)).toEqual([404, 3007]);
    expect(await codeOf("POST", `${topics}/none/messages`, { ...lost, partitioning: toFirst })).toEqual([404, 2010]);
  });
});
