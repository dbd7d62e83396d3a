// The real server on a metadata log that lost an entry for good: it starts, says so, and lets nobody but root in until that
// is confirmed.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scanEntries } from "../../src/metadata/log-entries.ts";
import { Caller } from "../commands/caller.ts";
import { active, loginRequest } from "../commands/world.ts";
import { type TestServer, useServers } from "../support/server.ts";

const servers = useServers();
const userInactive = 47;
const alice = { username: "alice", password: "alice's own" };
const secrets = {
  IGGY_HTTP_JWT_ENCODING_SECRET: "a secret for tests",
  IGGY_HTTP_JWT_DECODING_SECRET: "a secret for tests",
};

async function http(server: TestServer, path: string, request: RequestInit): Promise<Response> {
  const headers = { "content-type": "application/json", ...request.headers };
  return fetch(`http://127.0.0.1:${server.portOf("http")}${path}`, { ...request, headers });
}

/** Overwrites both copies of the entry that was written last but `back`. */
function damageEntry(server: TestServer, back: number): number {
  const path = join(server.dataPath, "state/metadata.log");
  const bytes = new Uint8Array(readFileSync(path));
  const entry = scanEntries(bytes).entries.at(-1 - back)!;
  writeFileSync(path, bytes.fill(0xee, entry.position, entry.end));
  return entry.index;
}

test("after the loss of an entry the start says which, and users stay out until the operator confirms", async () => {
  const server = await servers.start({ env: { ...secrets, IGGY_HTTP_ENABLED: "true" } });
  const root = await Caller.withPassword(server, "iggy", "iggy");
  await root.value("createUser", { ...alice, statusCode: active, permissions: undefined });
  const { token: rootToken } = await root.content("createPersonalAccessToken", { name: "token", expiryMicros: 0n });
  const login = await http(server, "/users/login", { method: "POST", body: JSON.stringify(alice) });
  const { access_token: jwt } = (await login.json()) as { access_token: { token: string } };
  const headers = { authorization: `Bearer ${jwt.token}` };
  await root.value("createStream", { name: "lost" });
  await root.value("createStream", { name: "behind" });
  root.close();
  await server.kill();
  const index = damageEntry(server, 1);

  await server.restart();
  await server.logged(`metadata is lost: entry ${index} is lost`);
  await server.logged("nobody but root may log in");
  const locked = await server.connect();
  const streams = await locked.getStreams();
  expect(streams.map(({ name }) => name)).toEqual(["behind"]);
  await locked.close();
  /** Of logins by password and by root's token, and of a request with a token that HTTP gave before. */
  const outcomes = async () => {
    const caller = await Caller.connect(server);
    const seen = [
      await caller.status("loginUser", loginRequest(alice.username, alice.password)),
      await caller.status("loginWithPersonalAccessToken", { token: rootToken }),
      (await http(server, "/personal-access-tokens", { headers })).status,
    ];
    caller.close();
    return seen;
  };
  expect(await outcomes()).toEqual([userInactive, userInactive, 401]);

  // Again: no damage any more, locked all the same.
  await server.restart();
  expect(server.log).not.toContain("metadata is lost: entry");
  await server.logged("nobody but root may log in");

  await server.restart({ env: { IGGY_SYSTEM_STATE_ACCEPT_DAMAGE: "true" } });
  await server.logged("the loss of metadata is accepted");
  expect(await outcomes()).toEqual([0, 0, 200]);
  expect(existsSync(join(server.dataPath, "state/metadata.damage"))).toBe(false);

  await server.restart();
  await server.logged("accept_damage is set, but no earlier start found metadata lost");
  await server.stop();
}, 120_000);
