// The OpenAPI document, and requests made from it: whatever fits the document, and whatever nearly does, gets an answer that the
// document has, and never one that tells of a fault.
import { beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { useServers } from "../support/server.ts";
import { type Answer, HttpTestClient } from "./http-client.ts";
import { fitting, misfit, type Schema } from "./json-schema.ts";

const servers = useServers();
const runsPerRoute = 25;
/** Failed logins make the next ones wait. */
const runsOfLogins = 6;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes: Readonly<Record<string, unknown>> };
}

/** What is wrong with an answer, judged by the document. */
function undocumented(operation: Operation, answer: Answer): string | undefined {
  const response = operation.responses[answer.status];
  if (response === undefined) return `status ${answer.status} is not documented: ${answer.text.slice(0, 200)}`;
  // One answer has a body only for some clients, and says so.
  if (answer.text === "" && response.description.endsWith("there is no body.")) return undefined;
  if (response.content === undefined) {
    return answer.text === "" ? undefined : `a body that is not documented: ${answer.text.slice(0, 200)}`;
  }
  const type = answer.type?.split(";")[0] ?? "none";
  const content = response.content[type];
  if (content === undefined) return `type ${type} is not documented for ${answer.status}`;
  return misfit(content.schema, type === "application/json" ? answer.json : answer.text);
}

describe("the document", async () => {
  const server = await servers.start({ shards: 2 });
  const root = await HttpTestClient.login(server);
  const answer = await new HttpTestClient(server).request("GET", "/openapi");
  const document = answer.json as Document;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );

  test("is OpenAPI 3.1 in which every operation has a name, a summary and its answers", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: "Whippet", version: "0.9.0" });
    expect(Object.keys(document.components.securitySchemes)).toEqual(["bearer"]);
    expect(operations).toHaveLength(51);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      expect(operation.tags).toHaveLength(1);
      expect(operation.summary).not.toBe("");
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
      const described = (operation.parameters ?? []).filter((each) => each.in === "path").map(({ name }) => name);
      expect(described.toSorted()).toEqual(named.toSorted());
      expect(Object.keys(operation.responses).some((status) => status.startsWith("2"))).toBe(true);
      const isPublic = operation.security?.length === 0;
      if (!isPublic) expect(operation.responses).toHaveProperty("401");
    }
  });

  test("says what a number is: no text, no default", () => {
    const poll = document.paths["/streams/{stream_id}/topics/{topic_id}/messages"]?.get;
    const polled = poll?.responses["200"]?.content?.["application/json"]?.schema.properties;
    expect(polled?.count).toEqual({ type: "integer", minimum: 0, maximum: 4_294_967_295, format: "uint32" });
    expect(polled?.current_offset).toEqual({ type: "integer", minimum: 0, format: "uint64" });
    expect(answer.text).not.toContain('"default"');
  });

  test("has no schema that says nothing", () => {
    for (const { operation } of operations) {
      const contents = [
        operation.requestBody?.content,
        ...Object.values(operation.responses).map(({ content }) => content),
      ];
      const schemas = contents.flatMap((content) => Object.values(content ?? {}).map(({ schema }) => schema));
      for (const schema of [...schemas, ...(operation.parameters ?? []).map((parameter) => parameter.schema)]) {
        // Throws where a type is missing.
        fc.assert(
          fc.property(fitting(schema), (value) => typeof misfit(schema, value) !== "number"),
          { numRuns: 3 },
        );
      }
    }
  });

  beforeAll(async () => {
    await root.request("POST", "/users", { username: "alice", password: "secret1", status: "active" });
  });

  const nearly = fc.constantFrom<unknown>(null, true, -1, 1.5, "", "x", [], {}, 2 ** 64, "ÿ".repeat(200), { "": [] });

  for (const { method, path, operation } of operations) {
    // A logout would end the token that the other requests need; events do not end.
    if (path === "/users/logout" || path.endsWith("/events")) continue;

    test(`${method} ${path} answers as documented, whatever it is asked`, async () => {
      const parameters = operation.parameters ?? [];
      const [body] = Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => fitting(schema));
      const request = fc.record({
        values: fc.tuple(
          ...parameters.map(({ schema }) => fc.oneof({ weight: 6, arbitrary: fitting(schema) }, nearly)),
        ),
        given: fc.tuple(...parameters.map(({ required }) => (required ? fc.constant(true) : fc.boolean()))),
        body:
          body === undefined ? fc.constant(undefined) : fc.oneof({ weight: 3, arbitrary: body }, nearly, damaged(body)),
        prelude: fc.integer({ min: 0, max: 2 }),
      });
      await fc.assert(
        fc.asyncProperty(request, async ({ values, given, body: sent, prelude }) => {
          // Something to find, now and then.
          if (prelude === 0 && path.startsWith("/streams/{stream_id}/")) await makeTopic(root);
          let asked = path;
          const query = new URLSearchParams();
          parameters.forEach(({ name, in: place }, index) => {
            const text = typeof values[index] === "object" ? JSON.stringify(values[index]) : String(values[index]);
            if (place === "path") asked = asked.replace(`{${name}}`, encodeURIComponent(text.toWellFormed()) || "x");
            else if (given[index]) query.append(name, text);
          });
          const suffix = query.size === 0 ? "" : `?${query}`;
          const got = await root.request(
            method,
            `${asked}${suffix}`,
            sent === undefined ? undefined : JSON.stringify(sent),
          );
          if (asked.includes("/./") || asked.includes("/../") || /\/\.{1,2}$/.test(asked)) return; // the client takes them away
          expect(undocumented(operation, got)).toBeUndefined();
        }),
        { numRuns: path.endsWith("/login") ? runsOfLogins : runsPerRoute },
      );
    }, 120_000);
  }

  test("the server had no fault meanwhile", () => {
    expect(server.log.split("\n").filter((line) => line.includes(" ERROR "))).toEqual([]);
  });
});

/** One field of the body is replaced or taken away. */
function damaged(body: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(body, fc.nat(), fc.constantFrom<unknown>(undefined, null, -1, 1.5, "", [], {}, 2 ** 64, "x".repeat(300)))
    .map(([value, index, replacement]) => {
      if (typeof value !== "object" || value === null) return replacement ?? null;
      const names = Object.keys(value);
      const name = names[index % Math.max(names.length, 1)];
      return name === undefined ? value : { ...value, [name]: replacement };
    });
}

async function makeTopic(root: HttpTestClient): Promise<void> {
  await root.request("POST", "/streams", { name: "s" });
  const settings = { compression_algorithm: "none", message_expiry: 0, max_topic_size: 0, partitions_count: 2 };
  await root.request("POST", "/streams/s/topics", { name: "t", ...settings });
  await root.request("POST", "/streams/s/topics/t/consumer-groups", { name: "g" });
  const message = { partitioning: { kind: "balanced", value: "" }, messages: [{ payload: "aGVsbG8=" }] };
  await root.request("POST", "/streams/s/topics/t/messages", message);
}
