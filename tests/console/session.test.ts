// Who is signed in at the console, and what nobody else can do in their place.
import { describe, expect, test } from "bun:test";
import { noGlobalRights } from "../support/permissions.ts";
import { useServers } from "../support/server.ts";
import { HttpTestClient } from "../transport/http-client.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

const servers = useServers();
const server = await servers.start();
const root = await server.connect();

describe("a sign-in", () => {
  test("with a password sets a cookie that is the console's alone", async () => {
    const client = new ConsoleTestClient(server);
    const answer = await client.post({ username: "iggy", password: "iggy" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("set-cookie")).toMatch(
      new RegExp(`^whippet-${server.portOf("http")}=[\\w-]+\\.[\\w-]+\\.[\\w-]+; Path=/ui; HttpOnly; SameSite=Strict$`),
    );
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.text).not.toContain(client.cookie.split("=")[1]!);
    expect(answer.json).toMatchObject({ user: { id: 0, name: "iggy" }, readOnly: false });
    const session = await client.session();
    expect(session.json).toEqual(answer.json);
    const { expiresAt, renewFrom } = session.json as { expiresAt: string; renewFrom: string };
    expect(BigInt(expiresAt) - BigInt(renewFrom)).toBe(900_000_000n); // a quarter of an hour
  });

  test("with a personal access token does the same", async () => {
    const token = await root.createPersonalAccessToken("console", 0n);
    const client = await ConsoleTestClient.signIn(server, { token });
    expect((await client.session()).json).toMatchObject({ user: { name: "iggy" } });
    const wrong = await new ConsoleTestClient(server).post({ token: "nobody's" });
    expect([wrong.status, wrong.json]).toMatchObject([404, { code: "resource_not_found" }]);
    expect(wrong.text).not.toContain("nobody's");
  });

  test("with a wrong password is refused as that of any client, and noted", async () => {
    const client = new ConsoleTestClient(server);
    const answer = await client.post({ username: "iggy", password: "wrong" });
    expect([answer.status, answer.json]).toMatchObject([400, { id: 42, code: "invalid_credentials" }]);
    expect([client.cookie, answer.headers.get("set-cookie")]).toEqual(["", null]);
    expect((await client.session()).json).toEqual({ user: null });
    await server.logged(/refused a login .*transport=http/);
  });

  test.each([
    ["{}", 422],
    ['{"username":"iggy"}', 422],
    ['{"username":1,"password":"iggy"}', 422],
    ['{"renew":false}', 422],
    ["{", 400],
    [`{"token":"${"x".repeat(70_000)}"}`, 413],
  ])("that asks with %p is answered with %d", async (body, status) => {
    const answer = await new ConsoleTestClient(server).request("POST", "/ui/api/session", { body });
    expect(answer.status).toBe(status);
  });
});

describe("without the page nobody signs in or out, or is signed in or out by another page", () => {
  const body = JSON.stringify({ username: "iggy", password: "iggy" });

  test.each([
    ["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["another port of the same host", { "sec-fetch-site": "same-site", origin: "http://127.0.0.1:1" }],
    ["an old browser, from another port", { "sec-fetch-site": undefined, origin: "http://127.0.0.1:1" }],
    ["no browser", { "sec-fetch-site": undefined, origin: undefined }],
    ["a form as text", { "content-type": "text/plain" }],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }],
  ])("%s", async (_, headers) => {
    const signedIn = await ConsoleTestClient.signIn(server);
    for (const method of ["POST", "DELETE"]) {
      const answer = await signedIn.request(method, "/ui/api/session", { body, headers });
      expect([method, answer.status, answer.json]).toMatchObject([method, 403, { code: "forbidden_origin" }]);
      expect(answer.headers.get("set-cookie")).toBeNull();
    }
    expect((await signedIn.session()).json).toMatchObject({ user: { name: "iggy" } });
    await server.logged("refused what is not the console's own page");
  });

  test("a browser that does not say from where, but has the page's origin, is the page", async () => {
    const answer = await new ConsoleTestClient(server).post(JSON.parse(body), { "sec-fetch-site": undefined });
    expect(answer.status).toBe(200);
  });
});

describe("the token in the cookie", () => {
  test("is none of the REST API, which reads no cookie either", async () => {
    const client = await ConsoleTestClient.signIn(server);
    const token = client.cookie.slice(client.cookie.indexOf("=") + 1);
    const http = new HttpTestClient(server);
    expect((await http.request("GET", "/streams", undefined, { cookie: client.cookie })).status).toBe(401);
    expect((await http.request("GET", "/streams", undefined, { authorization: `Bearer ${token}` })).status).toBe(401);
    const refreshed = await http.request("POST", "/users/refresh-token", { token });
    expect([refreshed.status, refreshed.json]).toMatchObject([401, { code: "invalid_access_token" }]);
  });

  test("a token of the REST API is none of the cookie, and is taken as Bearer", async () => {
    const { token } = await HttpTestClient.login(server);
    const client = new ConsoleTestClient(server);
    client.cookie = `whippet-${server.portOf("http")}=${token}`;
    expect((await client.session()).json).toEqual({ user: null });
    client.cookie = "";
    const bearer = { headers: { authorization: `Bearer ${token}` } };
    expect((await client.request("GET", "/ui/api/session", bearer)).json).toMatchObject({ user: { name: "iggy" } });
  });

  test("is worth nothing when it is changed", async () => {
    const client = await ConsoleTestClient.signIn(server);
    client.cookie = `${client.cookie.slice(0, -4)}AAAA`;
    expect((await client.session()).json).toEqual({ user: null });
  });
});

describe("a session", () => {
  test("is renewed without the earlier token ending, and ends in every window", async () => {
    const first = await ConsoleTestClient.signIn(server);
    const second = first.clone(server);
    expect((await first.post({ renew: true })).status).toBe(200);
    expect(first.cookie).not.toBe(second.cookie);
    expect((await second.session()).json).toMatchObject({ user: { name: "iggy" } });
    const other = await ConsoleTestClient.signIn(server);
    const before = first.cookie;
    const out = await first.request("DELETE", "/ui/api/session");
    expect([out.status, first.cookie]).toEqual([204, ""]);
    first.cookie = before;
    expect((await first.session()).json).toEqual({ user: null });
    expect((await second.session()).json).toEqual({ user: null });
    expect((await second.post({ renew: true })).status).toBe(401);
    expect((await other.session()).json).toMatchObject({ user: { name: "iggy" } });
    await server.logged("logged out");
  });

  test("of nobody can be left, too", async () => {
    const answer = await new ConsoleTestClient(server).request("DELETE", "/ui/api/session");
    expect([answer.status, answer.headers.get("set-cookie")]).toEqual([204, expect.stringContaining("Max-Age=0")]);
  });

  test("has the rights of its user, and ends with the user", async () => {
    const permissions = { global: { ...noGlobalRights, readStreams: true }, streams: [] };
    await root.createUser({ username: "ann", password: "secret", permissions });
    const client = await ConsoleTestClient.signIn(server, { username: "ann", password: "secret", readOnly: true });
    expect((await client.session()).json).toMatchObject({ readOnly: true, permissions });
    await root.updateUser("ann", { status: "inactive" });
    expect((await client.session()).json).toEqual({ user: null });
    await root.deleteUser("ann");
  });

  test("survives a restart where the secret of tokens does, and a signed-out one does not come back", async () => {
    const secret = "a secret that stays the same over restarts";
    const kept = await servers.start({ env: { IGGY_HTTP_JWT_ENCODING_SECRET: secret } });
    const client = await ConsoleTestClient.signIn(kept);
    const gone = await ConsoleTestClient.signIn(kept);
    const [clientToken, goneToken] = [client.cookie, gone.cookie].map((cookie) => cookie.slice(cookie.indexOf("=")));
    await gone.request("DELETE", "/ui/api/session");
    await kept.restart({ env: { IGGY_HTTP_WEB_UI_READ_ONLY: "true" } });
    const again = new ConsoleTestClient(kept);
    again.cookie = `whippet-${kept.portOf("http")}${clientToken}`;
    expect((await again.session()).json).toMatchObject({ user: { name: "iggy" }, readOnly: true });
    again.cookie = `whippet-${kept.portOf("http")}${goneToken}`;
    expect((await again.session()).json).toEqual({ user: null });
    expect((await again.request("GET", "/ui/api/hello")).json).toMatchObject({ readOnly: true });
  });
});
