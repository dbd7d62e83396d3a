// The files of the console and the headers of everything below /ui.
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { useServers } from "../support/server.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

const servers = useServers();
const server = await servers.start({
  env: {
    IGGY_HTTP_WEB_UI_LABEL: "staging",
    IGGY_HTTP_CORS_ALLOWED_ORIGINS: "[*]",
    IGGY_HTTP_METRICS_REQUIRE_TOKEN: "false",
  },
});
const client = new ConsoleTestClient(server);
const page = await client.request("GET", "/ui");
const scriptPath = /src="(\/ui\/assets\/main-[^"]+\.js)"/.exec(page.text)?.[1] ?? "";
const stylePath = /href="(\/ui\/assets\/main-[^"]+\.css)"/.exec(page.text)?.[1] ?? "";

/** What stands in the request line, unlike with fetch, which tidies it up. */
function rawGet(path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(server.portOf("http"), server.host, () => {
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${server.host}\r\nconnection: close\r\n\r\n`);
  });
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  socket.on("error", reject);
  socket.on("close", () => resolve(text));
  return promise;
}

describe("the page", () => {
  test("is served at every address of the console, whatever is in it", async () => {
    expect(page.text).toStartWith("<!doctype html>");
    expect(page.text).not.toMatch(/<script>|<style|style=|onload=/);
    for (const path of ["/ui/", "/ui/streams", "/ui/streams/orders.v1/topics/a%2Fb/messages?from=oldest", "/ui/x.js"]) {
      const answer = await client.request("GET", path);
      expect([path, answer.status, answer.text]).toEqual([path, 200, page.text]);
    }
  });

  test("is asked for each time, and answered with nothing where the browser has it", async () => {
    const etag = page.headers.get("etag");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect(etag).toMatch(/^"[0-9a-f]{16}"$/);
    const again = await client.request("GET", "/ui/streams", { headers: { "if-none-match": etag ?? "" } });
    expect([again.status, again.text, again.headers.get("etag")]).toEqual([304, "", etag]);
    const other = await client.request("GET", "/ui", { headers: { "if-none-match": '"other"' } });
    expect(other.status).toBe(200);
  });

  test("takes GET and HEAD only", async () => {
    const head = await client.request("HEAD", "/ui");
    expect([head.status, head.text]).toEqual([200, ""]);
    const post = await client.request("POST", "/ui/streams");
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET,HEAD"]);
  });

  test("is not served to a page whose host name is somebody else's", async () => {
    expect((await client.request("GET", "/ui", { headers: { host: "evil.example" } })).status).toBe(403);
  });
});

describe("the files", () => {
  test("have names with a hash, and are kept for ever", async () => {
    for (const [path, type] of [
      [scriptPath, "text/javascript; charset=utf-8"],
      [stylePath, "text/css; charset=utf-8"],
    ] as const) {
      const answer = await client.request("GET", path);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, type]);
      expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    }
  });

  test("come as the browser takes them", async () => {
    const sizes: number[] = [];
    for (const [accepted, encoding] of [
      ["gzip, deflate", "gzip"],
      ["gzip;q=0", null],
      ["", null],
    ] as const) {
      const response = await fetch(`${client.origin}${stylePath}`, {
        headers: { "accept-encoding": accepted },
        decompress: false,
      });
      expect([accepted, response.headers.get("content-encoding")]).toEqual([accepted, encoding]);
      expect(response.headers.get("vary")).toBe("accept-encoding");
      sizes.push((await response.bytes()).byteLength);
    }
    expect(sizes[0]!).toBeLessThan(sizes[1]! / 2);
    expect(sizes[1]).toBe(sizes[2]!);
  });

  test.each([
    "/ui/assets/main-00000000.js",
    "/ui/assets/",
    "/ui/assets/index.html",
    "/ui/assets/main.js",
    "/ui/assets/..%2f..%2fprocess%2fmain.ts",
    "/ui/assets//etc/passwd",
  ])("there is none at %s", async (path) => {
    expect(await rawGet(path)).toStartWith("HTTP/1.1 404");
  });

  test.each([
    "/ui/assets/../main.tsx",
    "/ui/assets/%2e%2e/main.tsx",
    "/ui/assets/..\\main.tsx",
  ])("%s is an address of the page: it leads to no file", async (path) => {
    expect(await rawGet(path)).toEndWith(page.text);
  });

  test("a path cannot leave the console", async () => {
    expect(await rawGet("/ui/../../../etc/passwd")).toStartWith("HTTP/1.1 401");
  });
});

test("every answer below /ui has the headers that keep the page to itself, and none that lets others read it", async () => {
  const answers = [
    page,
    await client.request("GET", scriptPath),
    await client.request("GET", "/ui/assets/none.js"),
    await client.request("GET", "/ui/api/hello", { headers: { origin: "https://other.example" } }),
    await client.request("GET", "/ui/api/session"),
    await client.request("GET", "/ui/api/none"),
    await client.request("GET", "/ui/socket"),
    await client.request("OPTIONS", "/ui/api/session", {
      headers: { origin: "https://other.example", "access-control-request-method": "POST" },
    }),
    await client.request("DELETE", "/ui"),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 200, 200, 404, 426, 405, 405]);
  for (const { headers } of answers) {
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toStartWith("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  }
});

test("hello says to anybody what the page is, and nothing of the broker", async () => {
  const { status, json } = await client.request("GET", "/ui/api/hello");
  expect(status).toBe(200);
  expect(json).toEqual({ assets: page.headers.get("etag")?.slice(1, -1), label: "staging", readOnly: false });
});

test("an unknown path of the API is the API's own 404", async () => {
  const answer = await client.request("GET", "/ui/api/nothing");
  expect([answer.status, answer.json]).toEqual([
    404,
    { id: 404, code: "not_found", reason: "Resource not found", field: null },
  ]);
});
