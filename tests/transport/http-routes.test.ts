// Every route of the HTTP API: what it answers when all is well, without a token, without the right, for what does not exist,
// and for identifiers and bodies that are none.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { useServers } from "../support/server.ts";
import { HttpTestClient } from "./http-client.ts";

const servers = useServers();

const topic = { compression_algorithm: "none", message_expiry: 0, max_topic_size: 0, partitions_count: 2 };
const message = { partitioning: { kind: "partition_id", value: "AQAAAA==" }, messages: [{ payload: "aGVsbG8=" }] };
const password = { current_password: "secret1", new_password: "secret2" };

interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** As in the specification. */
  readonly route: string;
  /** With things that exist; undone where a later row needs them. */
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
  /** Of the object, or of the first one in the list. */
  readonly fields?: string;
  /** What a user without any right gets instead of 403, and why. */
  readonly withoutRight?: number;
  /** The same with something that does not exist; with the code of the error. */
  readonly missing?: readonly (readonly [path: string, code: string])[];
}

const streamFields = "id created_at name size messages_count topics_count";
const topicFields =
  "id created_at name size message_expiry compression_algorithm max_topic_size replication_factor messages_count partitions_count";
const groupFields = "id name partitions_count members_count";
const userFields = "id created_at status username";
const identity = "user_id access_token";

const noTopic = (path: string): readonly (readonly [string, string])[] => [
  [path.replace("/streams/s/", "/streams/none/"), "stream_id_not_found"],
  [path.replace("/topics/t", "/topics/none"), "topic_id_not_found"],
];

// In this order: the rows make what later rows use.
const routes: readonly Route[] = [
  {
    method: "GET",
    route: "/stats",
    path: "/stats",
    status: 200,
    fields:
      "process_id cpu_usage total_cpu_usage memory_usage total_memory available_memory run_time start_time read_bytes written_bytes messages_size_bytes streams_count topics_count partitions_count segments_count messages_count clients_count consumer_groups_count hostname os_name os_version kernel_version iggy_server_version iggy_server_semver cache_metrics threads_count free_disk_space total_disk_space",
  },
  {
    method: "GET",
    route: "/options/{scope}",
    path: "/options/topic",
    status: 200,
    withoutRight: 200,
  },
  {
    method: "GET",
    route: "/cluster/metadata",
    path: "/cluster/metadata",
    status: 200,
    fields: "name nodes",
    withoutRight: 200,
  },
  {
    method: "GET",
    route: "/clients",
    path: "/clients",
    status: 200,
    fields: "client_id user_id address transport consumer_groups_count",
  },
  {
    method: "GET",
    route: "/clients/{client_id}",
    path: "/clients/CLIENT",
    status: 200,
    fields: "client_id user_id address transport consumer_groups_count consumer_groups",
    missing: [
      ["/clients/0", "not_found"],
      ["/clients/4000000000", "not_found"],
    ],
  },
  {
    method: "POST",
    route: "/snapshot",
    path: "/snapshot",
    body: { compression: "Stored", snapshot_types: ["Test"] },
    status: 200,
  },
  {
    method: "POST",
    route: "/streams",
    path: "/streams",
    body: { name: "s" },
    status: 200,
    fields: `${streamFields} topics`,
  },
  { method: "GET", route: "/streams", path: "/streams", status: 200, fields: streamFields },
  {
    method: "GET",
    route: "/streams/{stream_id}",
    path: "/streams/s",
    status: 200,
    fields: `${streamFields} topics`,
    missing: [["/streams/none", "not_found"]],
  },
  {
    method: "PUT",
    route: "/streams/{stream_id}",
    path: "/streams/s",
    body: { name: "s" },
    status: 204,
    missing: [["/streams/none", "stream_id_not_found"]],
  },
  {
    method: "POST",
    route: "/streams/{stream_id}/topics",
    path: "/streams/s/topics",
    body: { name: "t", ...topic },
    status: 200,
    fields: `${topicFields} partitions`,
    missing: [["/streams/none/topics", "not_found"]],
  },
  {
    method: "GET",
    route: "/streams/{stream_id}/topics",
    path: "/streams/s/topics",
    status: 200,
    fields: topicFields,
    missing: [["/streams/none/topics", "not_found"]],
  },
  {
    method: "GET",
    route: "/streams/{stream_id}/topics/{topic_id}",
    path: "/streams/s/topics/t",
    status: 200,
    fields: `${topicFields} partitions`,
    missing: [
      ["/streams/none/topics/t", "not_found"],
      ["/streams/s/topics/none", "not_found"],
    ],
  },
  {
    method: "GET",
    route: "/streams/{stream_id}/topics/{topic_id}/segment-holders",
    path: "/streams/s/topics/t/segment-holders",
    status: 200,
    missing: noTopic("/streams/s/topics/t/segment-holders"),
  },
  {
    method: "PUT",
    route: "/streams/{stream_id}/topics/{topic_id}",
    path: "/streams/s/topics/t",
    body: { name: "t", ...topic },
    status: 204,
    missing: noTopic("/streams/s/topics/t"),
  },
  {
    method: "POST",
    route: "/streams/{stream_id}/topics/{topic_id}/partitions",
    path: "/streams/s/topics/t/partitions",
    body: { partitions_count: 1 },
    status: 201,
    missing: noTopic("/streams/s/topics/t/partitions"),
  },
  {
    method: "DELETE",
    route: "/streams/{stream_id}/topics/{topic_id}/partitions",
    path: "/streams/s/topics/t/partitions?partitions_count=1",
    status: 204,
    missing: noTopic("/streams/s/topics/t/partitions?partitions_count=1"),
  },
  {
    method: "POST",
    route: "/streams/{stream_id}/topics/{topic_id}/messages",
    path: "/streams/s/topics/t/messages",
    body: message,
    status: 201,
    missing: noTopic("/streams/s/topics/t/messages"),
  },
  {
    method: "GET",
    route: "/streams/{stream_id}/topics/{topic_id}/messages",
    path: "/streams/s/topics/t/messages?partition_id=1",
    status: 200,
    fields: "partition_id current_offset count messages",
    missing: [
      ...noTopic("/streams/s/topics/t/messages"),
      ["/streams/s/topics/t/messages?partition_id=9", "partition_not_found"],
    ],
  },
  {
    method: "GET",
    route: "/streams/{stream_id}/topics/{topic_id}/messages/flush/{partition_id}/{fsync}",
    path: "/streams/s/topics/t/messages/flush/1/fsync=true",
    status: 200,
    missing: [
      ...noTopic("/streams/s/topics/t/messages/flush/1/true"),
      ["/streams/s/topics/t/messages/flush/9/false", "partition_not_found"],
    ],
  },
  {
    method: "DELETE",
    route: "/streams/{stream_id}/topics/{topic_id}/partitions/{partition_id}",
    path: "/streams/s/topics/t/partitions/1?segments_count=0",
    status: 204,
    missing: [
      ...noTopic("/streams/s/topics/t/partitions/1?segments_count=0"),
      ["/streams/s/topics/t/partitions/9?segments_count=0", "partition_not_found"],
    ],
  },
  {
    method: "PUT",
    route: "/streams/{stream_id}/topics/{topic_id}/consumer-offsets",
    path: "/streams/s/topics/t/consumer-offsets",
    body: { consumer_id: "me", partition_id: 1, offset: 0 },
    status: 204,
    missing: noTopic("/streams/s/topics/t/consumer-offsets"),
  },
  {
    method: "GET",
    route: "/streams/{stream_id}/topics/{topic_id}/consumer-offsets",
    path: "/streams/s/topics/t/consumer-offsets?consumer_id=me&partition_id=1",
    status: 200,
    fields: "partition_id current_offset stored_offset",
    missing: [
      ...noTopic("/streams/s/topics/t/consumer-offsets"),
      ["/streams/s/topics/t/consumer-offsets?consumer_id=you", "not_found"],
    ],
  },
  {
    method: "DELETE",
    route: "/streams/{stream_id}/topics/{topic_id}/consumer-offsets/{consumer_id}",
    path: "/streams/s/topics/t/consumer-offsets/me?partition_id=1",
    status: 204,
    missing: [
      ...noTopic("/streams/s/topics/t/consumer-offsets/me"),
      ["/streams/s/topics/t/consumer-offsets/you?partition_id=1", "consumer_offset_not_found"],
    ],
  },
  {
    method: "POST",
    route: "/streams/{stream_id}/topics/{topic_id}/consumer-groups",
    path: "/streams/s/topics/t/consumer-groups",
    body: { name: "g" },
    status: 201,
    fields: `${groupFields} members`,
    missing: noTopic("/streams/s/topics/t/consumer-groups"),
  },
  {
    method: "GET",
    route: "/streams/{stream_id}/topics/{topic_id}/consumer-groups",
    path: "/streams/s/topics/t/consumer-groups",
    status: 200,
    fields: groupFields,
    missing: noTopic("/streams/s/topics/t/consumer-groups"),
  },
  {
    method: "GET",
    route: "/streams/{stream_id}/topics/{topic_id}/consumer-groups/{group_id}",
    path: "/streams/s/topics/t/consumer-groups/g",
    status: 200,
    fields: `${groupFields} members`,
    missing: [
      ...noTopic("/streams/s/topics/t/consumer-groups/g"),
      ["/streams/s/topics/t/consumer-groups/none", "consumer_group_id_not_found"],
    ],
  },
  {
    method: "DELETE",
    route: "/streams/{stream_id}/topics/{topic_id}/consumer-groups/{group_id}",
    path: "/streams/s/topics/t/consumer-groups/g",
    status: 204,
    missing: [
      ...noTopic("/streams/s/topics/t/consumer-groups/g"),
      ["/streams/s/topics/t/consumer-groups/none", "consumer_group_id_not_found"],
    ],
  },
  {
    method: "DELETE",
    route: "/streams/{stream_id}/topics/{topic_id}/purge",
    path: "/streams/s/topics/t/purge",
    status: 204,
    missing: noTopic("/streams/s/topics/t/purge"),
  },
  {
    method: "DELETE",
    route: "/streams/{stream_id}/topics/{topic_id}",
    path: "/streams/s/topics/t",
    status: 204,
    missing: noTopic("/streams/s/topics/t"),
  },
  {
    method: "DELETE",
    route: "/streams/{stream_id}/purge",
    path: "/streams/s/purge",
    status: 204,
    missing: [["/streams/none/purge", "stream_id_not_found"]],
  },
  {
    method: "DELETE",
    route: "/streams/{stream_id}",
    path: "/streams/s",
    status: 204,
    missing: [["/streams/none", "stream_id_not_found"]],
  },
  {
    method: "POST",
    route: "/users",
    path: "/users",
    body: { username: "alice", password: "secret1", status: "active" },
    status: 200,
    fields: `${userFields} permissions`,
  },
  { method: "GET", route: "/users", path: "/users", status: 200, fields: userFields },
  {
    method: "GET",
    route: "/users/{user_id}",
    path: "/users/alice",
    status: 200,
    fields: `${userFields} permissions`,
    missing: [
      ["/users/none", "not_found"],
      ["/users/99", "not_found"],
    ],
  },
  {
    method: "PUT",
    route: "/users/{user_id}",
    path: "/users/alice",
    body: { status: "active" },
    status: 204,
    missing: [["/users/none", "resource_not_found"]],
  },
  {
    method: "PUT",
    route: "/users/{user_id}/permissions",
    path: "/users/alice/permissions",
    body: {},
    status: 204,
    missing: [["/users/none/permissions", "resource_not_found"]],
  },
  {
    method: "PUT",
    route: "/users/{user_id}/password",
    path: "/users/alice/password",
    body: password,
    status: 204,
    missing: [["/users/none/password", "resource_not_found"]],
  },
  {
    method: "DELETE",
    route: "/users/{user_id}",
    path: "/users/alice",
    status: 204,
    missing: [["/users/none", "resource_not_found"]],
  },
  // Own tokens take no right; the name is free for everyone.
  {
    method: "POST",
    route: "/personal-access-tokens",
    path: "/personal-access-tokens",
    body: { name: "dev", expiry: 0 },
    status: 200,
    fields: "token",
    withoutRight: 200,
  },
  {
    method: "GET",
    route: "/personal-access-tokens",
    path: "/personal-access-tokens",
    status: 200,
    fields: "name expiry_at",
    withoutRight: 200,
  },
  {
    method: "DELETE",
    route: "/personal-access-tokens/{name}",
    path: "/personal-access-tokens/dev",
    status: 204,
    withoutRight: 204,
    missing: [["/personal-access-tokens/none", "resource_not_found"]],
  },
];

const hasBody = (route: Route) => route.body !== undefined;

describe("every route", async () => {
  const server = await servers.start({ shards: 2 });
  const root = await HttpTestClient.login(server);
  const anonymous = new HttpTestClient(server);
  const listed = await server.connect();
  let nobody: HttpTestClient;

  beforeAll(async () => {
    await root.request("POST", "/users", { username: "nobody", password: "secret1", status: "active" });
    nobody = await HttpTestClient.login(server, "nobody", "secret1");
  });
  afterAll(() => listed.close());

  const pathOf = async ({ path }: Route): Promise<string> => {
    if (!path.includes("CLIENT")) return path;
    const clients = (await root.request("GET", "/clients")).json as { client_id: number }[];
    return path.replace("CLIENT", String(clients[0]?.client_id));
  };

  test("is in the document, and nothing else", async () => {
    const { paths } = (await anonymous.request("GET", "/openapi")).json as { paths: Record<string, object> };
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const publicRoutes = [
      "GET /",
      "GET /ping",
      "GET /health/live",
      "GET /health/ready",
      "POST /users/login",
      "POST /users/refresh-token",
    ];
    // The last one does not end: http-events.test.ts.
    const others = [
      "POST /personal-access-tokens/login",
      "DELETE /users/logout",
      "GET /streams/{stream_id}/topics/{topic_id}/partitions/{partition_id}/events",
    ];
    const all = [...routes.map(({ method, route }) => `${method} ${route}`), ...publicRoutes, ...others];
    expect(documented.toSorted()).toEqual(all.toSorted());
  });

  for (const route of routes) {
    const { method, status, fields, body, missing = [], withoutRight = 403 } = route;
    describe(`${method} ${route.route}`, () => {
      test("is 401 without a token, with a wrong one, and with one of another kind, without a body", async () => {
        const path = await pathOf(route);
        for (const authorization of [
          undefined,
          "Bearer abc",
          `Bearer${root.token}`,
          `Bearer  ${root.token}`,
          "Basic eA==",
        ]) {
          const answer = await anonymous.request(method, path, body, { authorization });
          expect([answer.status, answer.text]).toEqual([401, ""]);
        }
      });

      test(`is ${withoutRight} for a user without rights`, async () => {
        if (withoutRight !== 403) {
          expect((await nobody.request(method, await pathOf(route), body)).status).toBe(withoutRight);
          return;
        }
        const answer = await nobody.request(method, await pathOf(route), body);
        expect(answer).toMatchObject({
          status: 403,
          type: "application/json",
          text: '{"id":41,"code":"unauthorized","reason":"Unauthorized","field":null}',
        });
      });

      if (missing.length > 0) {
        test("names what does not exist", async () => {
          for (const [path, code] of missing) {
            const answer = await root.request(method, path, body);
            expect([path, answer.status, answer.type]).toEqual([path, 404, "application/json"]);
            expect(answer.json).toMatchObject({ id: expect.any(Number), code, reason: expect.any(String) });
            expect(Object.keys(answer.json as object).join(" ")).toBe("id code reason field");
          }
        });
      }

      if (/\{(?:stream|topic|group|user|consumer)_id\}/.test(route.route)) {
        test("refuses identifiers that are too long or no UTF-8", async () => {
          const names = [...route.route.matchAll(/\/(\{(?:stream|topic|group|user|consumer)_id\})/g)].length;
          for (let index = 0; index < names; index++) {
            const replaced = (text: string) => {
              const parts = route.path.split("/");
              parts[2 + 2 * index] = `${text}${parts[2 + 2 * index]?.replace(/^[^?]*/, "") ?? ""}`;
              return parts.join("/");
            };
            const long = await root.request(method, replaced("x".repeat(256)), body);
            expect([long.status, long.text]).toEqual([
              400,
              '{"id":6,"code":"invalid_identifier","reason":"Invalid identifier","field":null}',
            ]);
            const broken = await root.request(method, replaced("%ff%fe"), body);
            expect(broken).toMatchObject({
              status: 400,
              type: "text/plain; charset=utf-8",
              text: expect.stringMatching(/^Invalid URL: Invalid UTF-8 in `\w+_id`$/),
            });
          }
        });
      }

      if (hasBody(route)) {
        test("refuses bodies that are not its own", async () => {
          const path = await pathOf(route);
          const ask = async (text: string, headers?: Record<string, string | undefined>) => {
            const answer = await root.request(method, path, text, headers);
            return `${answer.status} ${answer.type} ${answer.text.split(":")[0]}`;
          };
          expect(await ask("{")).toBe("400 text/plain; charset=utf-8 Failed to parse the request body as JSON");
          expect(await ask("")).toBe("400 text/plain; charset=utf-8 Failed to parse the request body as JSON");
          expect(await ask("{}x")).toBe("400 text/plain; charset=utf-8 Failed to parse the request body as JSON");
          expect(await ask("[]")).toBe(
            "422 text/plain; charset=utf-8 Failed to deserialize the JSON body into the target type",
          );
          const notJson = { "content-type": "text/plain" };
          expect(await ask("{}", notJson)).toBe("415 text/plain; charset=utf-8 Expected request with `Content-Type");
          const large = JSON.stringify({ ...(body as object), more: "x".repeat(2_000_001) });
          expect(await ask(large)).toBe("413 text/plain; charset=utf-8 Failed to buffer the request body");
        });
      }

      test(`is ${status} for root`, async () => {
        const answer = await root.request(method, await pathOf(route), body);
        expect({ status: answer.status, text: answer.status === status ? "" : answer.text }).toEqual({
          status,
          text: "",
        });
        if (fields === undefined) {
          if (status === 204 || status === 201) expect([answer.text, answer.type]).toEqual(["", null]);
          return;
        }
        expect(answer.type).toBe("application/json");
        const object = Array.isArray(answer.json) ? answer.json[0] : answer.json;
        expect(Object.keys(object as object).join(" ")).toBe(fields);
      });
    });
  }
});

describe("logins", async () => {
  const server = await servers.start();

  test("with a password and with a personal access token give an identity", async () => {
    const root = await HttpTestClient.login(server);
    const { token } = (await root.request("POST", "/personal-access-tokens", { name: "dev", expiry: 0 })).json as {
      token: string;
    };
    expect(token).toMatch(/^[A-Za-z0-9+/]{67}=$/);
    const { status, json } = await root.request("POST", "/personal-access-tokens/login", { token });
    expect(status).toBe(200);
    expect(Object.keys(json as object).join(" ")).toBe(identity);
    expect(json).toMatchObject({ user_id: 0, access_token: { token: expect.any(String), expiry: expect.any(Number) } });
  });

  test.each([
    ["an unknown user", { username: "somebody", password: "secret1" }, "invalid_credentials"],
    ["a wrong password", { username: "iggy", password: "wrong" }, "invalid_credentials"],
    ["a short password", { username: "iggy", password: "x" }, "invalid_credentials"],
    ["a short name", { username: "x", password: "secret1" }, "invalid_credentials"],
    ["an empty name", { username: "", password: "iggy" }, "invalid_identifier"],
    ["a long name", { username: "x".repeat(256), password: "iggy" }, "invalid_identifier"],
  ])("with %s are refused with 400", async (_what, body, code) => {
    const answer = await new HttpTestClient(server).request("POST", "/users/login", body);
    expect(answer).toMatchObject({ status: 400, json: { code, field: null } });
  });

  test("with an unknown personal access token are refused, and the answer does not repeat it", async () => {
    const answer = await new HttpTestClient(server).request("POST", "/personal-access-tokens/login", {
      token: "a-secret",
    });
    expect(answer).toMatchObject({ status: 404, json: { id: 20, code: "resource_not_found" } });
    expect(answer.text).not.toContain("a-secret");
  });

  test("a logout ends this token and no other, also after a restart with a configured secret", async () => {
    const secrets = { IGGY_HTTP_JWT_ENCODING_SECRET: "one secret", IGGY_HTTP_JWT_DECODING_SECRET: "one secret" };
    await server.restart({ env: secrets });
    const first = await HttpTestClient.login(server);
    const second = await HttpTestClient.login(server);
    expect((await first.request("DELETE", "/users/logout")).status).toBe(204);
    expect((await first.request("GET", "/streams")).status).toBe(401);
    expect((await second.request("GET", "/streams")).status).toBe(200);
    await server.restart();
    const again = new HttpTestClient(server);
    const ask = (token: string) => again.request("GET", "/streams", undefined, { authorization: `Bearer ${token}` });
    expect((await ask(first.token)).status).toBe(401);
    expect((await ask(second.token)).status).toBe(200);
  });
});

describe("requests beside the routes", async () => {
  const server = await servers.start({ env: { IGGY_HTTP_WEB_UI: "false", IGGY_HTTP_CORS_ENABLED: "false" } });
  const root = await HttpTestClient.login(server);
  const anonymous = new HttpTestClient(server);

  test("an unknown path is 401 without a token and 404 with one", async () => {
    expect((await anonymous.request("GET", "/nope")).status).toBe(401);
    expect(await root.request("GET", "/nope")).toMatchObject({ status: 404, text: "" });
    for (const path of ["/streams/", "/ping/", "/Streams", "/streams//topics"]) {
      expect((await root.request("GET", path)).status).toBe(404);
    }
  });

  test.each([
    ["PATCH", "/streams", "GET,HEAD,POST"],
    ["DELETE", "/streams", "GET,HEAD,POST"],
    ["POST", "/streams/0", "GET,HEAD,PUT,DELETE"],
    ["POST", "/ping", "GET,HEAD"],
    ["GET", "/users/login", "POST"],
    ["GET", "/users/logout", "DELETE"],
    ["DELETE", "/personal-access-tokens/login", "POST"],
    ["OPTIONS", "/streams", "GET,HEAD,POST"],
  ])("%s %s is 405", async (method, path, allow) => {
    const answer = await root.request(method, path);
    expect([answer.status, answer.text, answer.headers.get("allow")]).toEqual([405, "", allow]);
  });

  test("HEAD is GET without the body", async () => {
    const get = await root.request("GET", "/streams");
    const head = await root.request("HEAD", "/streams");
    expect([head.status, head.text, head.headers.get("content-type")]).toEqual([200, "", "application/json"]);
    expect(head.headers.get("content-length")).toBe(String(get.text.length));
    expect((await anonymous.request("HEAD", "/streams")).status).toBe(401);
  });

  test("without the console its place is empty, and what is below it asks for a token", async () => {
    expect((await anonymous.request("GET", "/ui")).status).toBe(404);
    for (const path of ["/ui/", "/ui/streams", "/ui/api/hello"]) {
      expect((await anonymous.request("GET", path)).status).toBe(401);
    }
  });

  test("a query that is not the route's is refused as text", async () => {
    for (const query of [
      "count=abc",
      "count=",
      "count=-1",
      "count=1.0",
      "count=4294967296",
      "kind=Offset",
      "auto_commit=1",
      "value=x",
      "consumer_id=",
      "count=1&count=2",
    ]) {
      const answer = await root.request("GET", `/streams/0/topics/0/messages?${query}`);
      expect([query, answer.status, answer.type]).toEqual([query, 400, "text/plain; charset=utf-8"]);
      expect(answer.text).toStartWith("Failed to deserialize query string: ");
    }
    const segments = await root.request("DELETE", "/streams/0/topics/0/partitions/0");
    expect(segments.text).toStartWith("Failed to deserialize query string: ");
    expect((await root.request("GET", "/clients/abc")).text).toStartWith("Invalid URL: ");
  });

  test("a number in a body is no text, no fraction, and within its range", async () => {
    const body = {
      name: "t",
      compression_algorithm: "none",
      message_expiry: 0,
      max_topic_size: 0,
      partitions_count: 1,
    };
    const wrong = {
      partitions_count: "1",
      message_expiry: "1",
      max_topic_size: true,
      replication_factor: 256,
      name: 5,
    };
    for (const [name, value] of Object.entries(wrong)) {
      const answer = await root.request("POST", "/streams/0/topics", { ...body, [name]: value });
      expect([name, answer.status]).toEqual([name, 422]);
      expect(answer.text).toStartWith(`Failed to deserialize the JSON body into the target type: ${name}: `);
    }
    for (const number of ["1.0", "1e3", "-1", "18446744073709551616"]) {
      const text = JSON.stringify(body).replace('"message_expiry":0', `"message_expiry":${number}`);
      expect([number, (await root.request("POST", "/streams/0/topics", text)).status]).toEqual([number, 422]);
    }
    const largest = JSON.stringify(body).replace('"message_expiry":0', '"message_expiry":18446744073709551615');
    expect((await root.request("POST", "/streams/0/topics", largest)).status).toBe(404);
  });

  test("a short host is no part of the path", async () => {
    const answer = await root.request("GET", "/streams/none", undefined, { host: "[::]" });
    expect(answer).toMatchObject({ status: 404, json: { id: 404 } });
  });
});
