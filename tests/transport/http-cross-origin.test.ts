// Cross-origin rules of the HTTP API (spec HA 1.9), with all configured keys.
import { describe, expect, test } from "bun:test";
import type { Config } from "../../src/config/schema/index.ts";
import { addCrossOriginRules } from "../../src/transport/http/cross-origin.ts";
import { createRouter } from "../../src/transport/http/router.ts";

type CorsConfig = Config["http"]["cors"];

/** As the original has them: every origin. */
const defaults: CorsConfig = {
  enabled: true,
  allowedMethods: ["GET", "POST", "PUT", "DELETE"],
  allowedOrigins: ["*"],
  allowedHeaders: ["content-type", "authorization"],
  exposedHeaders: [""],
  allowCredentials: false,
  allowPrivateNetwork: false,
};
const vary = "origin, access-control-request-method, access-control-request-headers";

/** The cross-origin headers of an answer, and its status. */
async function ask(changes: Partial<CorsConfig>, method: string, headers: Record<string, string> = {}, path = "/here") {
  const router = createRouter();
  addCrossOriginRules(router, { ...defaults, ...changes });
  router.get("/here", () => new Response("here"));
  const response = await router.compile().fetch(new Request(`http://localhost${path}`, { method, headers }));
  const answered = [...response.headers].filter(([name]) => name === "vary" || name.startsWith("access-control"));
  return { status: response.status, body: await response.text(), headers: Object.fromEntries(answered) };
}

describe("any origin", () => {
  test("is allowed by a star, with and without an Origin header, on errors too", async () => {
    const headers = { vary, "access-control-allow-origin": "*" };
    expect(await ask({}, "GET", { origin: "http://one.example" })).toEqual({ status: 200, body: "here", headers });
    expect(await ask({}, "GET")).toEqual({ status: 200, body: "here", headers });
    expect(await ask({}, "GET", {}, "/nowhere")).toMatchObject({ status: 404, headers });
  });

  test("may ask before: every OPTIONS request is answered with 200, the route is not called", async () => {
    const answer = {
      status: 200,
      body: "",
      headers: {
        vary,
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET,POST,PUT,DELETE",
        "access-control-allow-headers": "content-type,authorization",
      },
    };
    const asking = { origin: "http://one.example", "access-control-request-method": "PUT" };
    expect(await ask({}, "OPTIONS", asking)).toEqual(answer);
    expect(await ask({}, "OPTIONS", {}, "/nowhere")).toEqual(answer);
  });
});

describe("a list of origins", () => {
  const allowedOrigins = ["http://one.example", "https://two.example:8443"];

  test("allows those that are in it, exactly as they are written", async () => {
    for (const origin of allowedOrigins) {
      const { headers } = await ask({ allowedOrigins }, "GET", { origin });
      expect(headers).toEqual({ vary, "access-control-allow-origin": origin });
    }
  });

  test.each([
    "http://three.example",
    "one.example",
    "http://ONE.example",
    "https://two.example",
    "null",
    "",
  ])("does not allow %s", async (origin) => {
    expect((await ask({ allowedOrigins }, "GET", { origin })).headers).toEqual({ vary });
  });

  test("that is empty allows nobody", async () => {
    expect((await ask({ allowedOrigins: [] }, "GET", { origin: "http://one.example" })).headers).toEqual({ vary });
  });
});

test("methods and headers are the configured ones", async () => {
  const { headers } = await ask({ allowedMethods: ["GET"], allowedHeaders: ["x-one", "*"] }, "OPTIONS");
  expect(headers).toMatchObject({ "access-control-allow-methods": "GET", "access-control-allow-headers": "x-one,*" });
});

test("exposed headers are named with answers, not before; blank ones are ignored", async () => {
  const exposedHeaders = ["x-one", " ", "x-two"];
  expect((await ask({ exposedHeaders }, "GET")).headers["access-control-expose-headers"]).toBe("x-one,x-two");
  expect((await ask({ exposedHeaders }, "OPTIONS")).headers).not.toHaveProperty("access-control-expose-headers");
});

test("credentials are allowed where that is configured", async () => {
  const changes = { allowCredentials: true, allowedOrigins: ["http://one.example"] };
  const { headers } = await ask(changes, "GET", { origin: "http://one.example" });
  expect(headers["access-control-allow-credentials"]).toBe("true");
});

test("private networks are opened only where configured, and only to those who ask", async () => {
  const asking = { "access-control-request-private-network": "true" };
  const name = "access-control-allow-private-network";
  expect((await ask({ allowPrivateNetwork: true }, "OPTIONS", asking)).headers[name]).toBe("true");
  expect((await ask({ allowPrivateNetwork: true }, "OPTIONS")).headers).not.toHaveProperty(name);
  expect((await ask({}, "OPTIONS", asking)).headers).not.toHaveProperty(name);
});
