// Root is never locked out: not by those who manage users, and not by a password that nobody knows any more.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { numericId } from "../../src/protocol/identifier.ts";
import { Caller } from "../commands/caller.ts";
import { globalFlags, permissions } from "../commands/flags.ts";
import { active, inactive, loginRequest } from "../commands/world.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { HttpTestClient } from "../transport/http-client.ts";

setDefaultTimeout(120_000);

const servers = useServers();
const rootId = numericId(0);
const secret = { IGGY_HTTP_JWT_ENCODING_SECRET: "a secret that outlives a restart" };
const reset = ["--reset-root-password"];
const ignored = "IGGY_ROOT_USERNAME and IGGY_ROOT_PASSWORD are not those of the root user";

async function loginStatus(server: TestServer, username: string, password: string): Promise<number> {
  const caller = await Caller.connect(server);
  const status = await caller.status("loginUser", loginRequest(username, password));
  caller.close();
  return status;
}

test("who manages users can neither rename nor deactivate nor delete root, nor take its rights", async () => {
  const server = await servers.start({ shards: 2 });
  const root = await Caller.withPassword(server, "iggy", "iggy");
  const rights = permissions(globalFlags);
  const user = { username: "manager", password: "secret", statusCode: active, permissions: rights };
  const { id } = await root.content("createUser", user);
  const manager = await Caller.withPassword(server, "manager", "secret");
  const change = (username: string | undefined, statusCode: number | undefined) =>
    manager.status("updateUser", { user: rootId, username, statusCode });
  expect(await change("somebody", undefined)).toBe(49);
  expect(await change(undefined, inactive)).toBe(49);
  expect(await manager.status("deleteUser", { user: rootId })).toBe(48);
  expect(await manager.status("updatePermissions", { user: rootId, permissions: undefined })).toBe(49);
  expect(await change("iggy", active)).toBe(0);
  expect(await root.status("updateUser", { user: rootId, username: undefined, statusCode: inactive })).toBe(49);
  expect(await root.status("getUsers", undefined)).toBe(0);
  expect(await loginStatus(server, "iggy", "iggy")).toBe(0);
  // Root itself may take another name, and may do to the manager what it likes.
  expect(await root.status("updateUser", { user: rootId, username: "admin", statusCode: undefined })).toBe(0);
  expect(await root.status("updateUser", { user: numericId(id), username: undefined, statusCode: inactive })).toBe(0);
  expect(await loginStatus(server, "admin", "iggy")).toBe(0);
  for (const caller of [root, manager]) caller.close();
  await server.stop();
});

test("a start with --reset-root-password gives root the password of the environment, and ends what it had open", async () => {
  const server = await servers.start({ env: secret });
  const root = await HttpTestClient.login(server);
  const bearer = { authorization: `Bearer ${root.token}` };
  await server.restart({
    env: { ...secret, IGGY_ROOT_USERNAME: undefined, IGGY_ROOT_PASSWORD: "new-secret" },
    arguments: reset,
  });
  await server.logged("the password of the root user was set anew");
  expect(server.log).toMatch(
    /WARN audit the password of the root user was set anew user=iggy by=--reset-root-password/,
  );
  expect(await loginStatus(server, "iggy", "new-secret")).toBe(0);
  expect(await loginStatus(server, "iggy", "iggy")).toBe(42);
  expect((await new HttpTestClient(server).request("GET", "/streams", undefined, bearer)).status).toBe(401);
  await server.kill();
  // It is in the log of the metadata: it stays.
  await server.restart({ env: { IGGY_ROOT_USERNAME: "iggy", IGGY_ROOT_PASSWORD: "new-secret" }, arguments: [] });
  expect(await loginStatus(server, "iggy", "new-secret")).toBe(0);
  expect(server.log).not.toContain(ignored);
  expect(server.log).not.toContain("new-secret");
  await server.stop();
});

test("without a password in the environment it is generated and printed once", async () => {
  const env = { IGGY_ROOT_USERNAME: undefined, IGGY_ROOT_PASSWORD: undefined };
  const server = await servers.start();
  await server.restart({ env, arguments: reset });
  const told = /^Generated root user password: (\S{20,39})$/m;
  const password = told.exec(await server.logged(told))?.[1] ?? "";
  expect(await loginStatus(server, "iggy", password)).toBe(0);
  await server.stop();
  const state = join(server.dataPath, "state/metadata.log");
  expect(readFileSync(state).includes(password)).toBe(false);
});

test("other credentials in the environment than those of root are ignored with a warning, and without where they are right", async () => {
  const server = await servers.start();
  await server.restart();
  expect(await loginStatus(server, "iggy", "iggy")).toBe(0);
  expect(server.log).not.toContain(ignored);
  for (const [username, password] of [
    ["iggy", "other-secret"],
    ["admin", "iggy"],
  ]) {
    await server.restart({ env: { IGGY_ROOT_USERNAME: username, IGGY_ROOT_PASSWORD: password } });
    await server.logged(ignored);
    expect(server.log).not.toContain("other-secret");
    expect(await loginStatus(server, "iggy", "iggy")).toBe(0);
  }
  await server.stop();
});

test("default credentials that are asked for on data with others are said to be ignored", async () => {
  const none = { IGGY_ROOT_USERNAME: undefined, IGGY_ROOT_PASSWORD: undefined };
  const server = await servers.start({ env: none });
  await server.restart({ env: none, arguments: ["--with-default-root-credentials"] });
  await server.logged("the credentials of --with-default-root-credentials are not those of the root user");
  expect(await loginStatus(server, "iggy", "iggy")).toBe(42);
  await server.restart({ env: none, arguments: ["--with-default-root-credentials", ...reset] });
  expect(await loginStatus(server, "iggy", "iggy")).toBe(0);
  await server.restart({ env: none, arguments: ["--with-default-root-credentials"] });
  expect(server.log).not.toContain("are not those of the root user");
  await server.stop();
});
