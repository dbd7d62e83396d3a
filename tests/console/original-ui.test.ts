// The calls of the original's own web UI, with the headers that a browser sends for it: it runs apart from the broker
// (`PUBLIC_IGGY_API_URL`), so that every call comes from another origin, and even reads are preflighted, since it says for each
// that its content is JSON. Checked is what it relies on (apache/iggy, web/ of server 0.8.0).
import { describe, expect, test } from "bun:test";
import { useServers } from "../support/server.ts";

const servers = useServers();
const origin = "http://localhost:3050";
const server = await servers.start({ env: { IGGY_HTTP_CORS_ALLOWED_ORIGINS: `[${origin}]` } });
const api = `http://${server.host}:${server.portOf("http")}`;
let token = "";

type Reply = { readonly status: number; readonly text: string; readonly json: Record<string, unknown> };

/** One call of the page: the preflight that the browser makes, then the call, whose answer it lets the page read. */
async function call(method: string, path: string, body?: unknown): Promise<Reply> {
  const asked = token === "" ? "content-type" : "authorization,content-type";
  const preflight = await fetch(`${api}${path}`, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": method, "access-control-request-headers": asked },
  });
  expect(preflight.status).toBe(200);
  expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
  expect(preflight.headers.get("access-control-allow-methods")?.split(/, */)).toContain(method);
  const allowed = preflight.headers.get("access-control-allow-headers")?.toLowerCase().split(/, */);
  for (const name of asked.split(",")) expect(allowed).toContain(name);

  const response = await fetch(`${api}${path}`, {
    method,
    headers: {
      origin,
      "content-type": "application/json",
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.headers.get("access-control-allow-origin")).toBe(origin);
  const text = await response.text();
  return { status: response.status, text, json: text === "" ? {} : JSON.parse(text) };
}

async function done(method: string, path: string, body?: unknown): Promise<Reply> {
  const reply = await call(method, path, body);
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
  return reply;
}

test("signing in gives a token that the page keeps, and a wrong password an error that it shows", async () => {
  const wrong = await call("POST", "/users/login", { username: "iggy", password: "wrong" });
  expect(wrong.status).toBe(400);
  expect(Object.keys(wrong.json).sort()).toEqual(["code", "field", "id", "reason"]);
  const { json } = await done("POST", "/users/login", { username: "iggy", password: "iggy" });
  const access = json.access_token as { token: string; expiry: number };
  token = access.token;
  expect([json.user_id, typeof token, typeof access.expiry]).toEqual([0, "string", "number"]);
});

describe("the pages", () => {
  test("the overview and the settings read the numbers of the server", async () => {
    const { json } = await done("GET", "/stats");
    for (const key of ["process_id", "cpu_usage", "memory_usage", "streams_count", "messages_count", "hostname"]) {
      expect(json).toHaveProperty(key);
    }
    expect(await done("GET", "/users")).toMatchObject({ json: [{ id: 0, username: "iggy", status: "active" }] });
  });

  test("streams and topics are made, listed with the time of their creation, changed and deleted", async () => {
    await done("POST", "/streams", { name: "orders" });
    const streams = (await done("GET", "/streams")).json as unknown as Record<string, unknown>[];
    expect(streams).toMatchObject([{ id: 0, name: "orders", created_at: expect.any(Number), topics_count: 0 }]);
    const topic = {
      name: "payments",
      partitions_count: 2,
      compression_algorithm: "none",
      message_expiry: 0,
      max_topic_size: 2_000_000_000,
      replication_factor: 1,
    };
    await done("POST", "/streams/0/topics", topic);
    expect((await done("GET", "/streams/0")).json).toMatchObject({ name: "orders", topics: [{ name: "payments" }] });
    const { partitions_count: _, ...changes } = { ...topic, name: "paid", max_topic_size: 0 };
    await done("PUT", "/streams/0/topics/0", changes);
    const found = (await done("GET", "/streams/0/topics/0")).json;
    expect(found).toMatchObject({ name: "paid", partitions: [{ id: 0 }, { id: 1 }], created_at: expect.any(Number) });
    await done("PUT", "/streams/0", { name: "sales" });
    await done("POST", "/streams/0/topics/0/partitions", { partitions_count: 1 });
    await done("DELETE", "/streams/0/topics/0/partitions?partitions_count=1");
    expect((await done("GET", "/streams/0/topics")).json as unknown).toMatchObject([{ partitions_count: 2 }]);
  });

  test("messages come by offset, with numbers whose digits are all there", async () => {
    const messages = ["YQ==", "Yg=="].map((payload) => ({ payload, id: 0 }));
    const partitioning = { kind: "partition_id", value: Buffer.from(Uint32Array.of(1).buffer).toString("base64") };
    await done("POST", "/streams/0/topics/0/messages", { partitioning, messages });
    const query = (count: number) => `kind=offset&value=0&count=${count}&auto_commit=false&partition_id=1`;
    const first = await done("GET", `/streams/0/topics/0/messages?${query(1)}`);
    expect(first.json).toMatchObject({ partition_id: 1, current_offset: 1, messages: [{ payload: "YQ==" }] });
    const all = await done("GET", `/streams/0/topics/0/messages?${query(20)}`);
    expect(all.json.messages).toHaveLength(2);
    const digits = /"checksum":(\d+)/.exec(all.text)?.[1] ?? "";
    expect(all.text).not.toMatch(/"(?:checksum|offset|timestamp|id)":"/);
    expect(BigInt(digits)).toBeGreaterThan(0n);
  });

  test("users are made, and shown with their rights", async () => {
    await done("POST", "/users", { username: "ann", password: "secret", status: "active", permissions: null });
    const users = (await done("GET", "/users")).json as unknown as { id: number; username: string }[];
    const ann = users.find(({ username }) => username === "ann");
    expect((await done("GET", `/users/${ann?.id}`)).json).toMatchObject({ username: "ann", permissions: null });
  });

  test("what is not there is 404, what is wrong is 400 with a reason", async () => {
    expect((await call("GET", "/streams/77")).status).toBe(404);
    expect((await call("GET", "/streams/0/topics/77")).status).toBe(404);
    const taken = await call("POST", "/streams", { name: "sales" });
    expect([taken.status, Object.keys(taken.json).sort()]).toEqual([400, ["code", "field", "id", "reason"]]);
  });

  test("a topic and a stream are deleted", async () => {
    await done("DELETE", "/streams/0/topics/0");
    await done("DELETE", "/streams/0");
    expect((await done("GET", "/streams")).json as unknown).toEqual([]);
  });
});

test("a token that is over signs the page out with 401, which it may read; a right that is missing with 403", async () => {
  const root = token;
  token = "";
  const login = await done("POST", "/users/login", { username: "ann", password: "secret" });
  token = (login.json.access_token as { token: string }).token;
  expect((await call("GET", "/stats")).status).toBe(403);
  token = root;
  await done("DELETE", "/users/logout");
  expect((await call("GET", "/stats")).status).toBe(401);
});

test("its own place below /ui is the console's here, which no other origin reads", async () => {
  const response = await fetch(`${api}/ui/dashboard/overview`, { headers: { origin } });
  expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, null]);
});
