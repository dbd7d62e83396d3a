// Who is locked out is locked out: over every transport, at once, and for good.
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { nameId, numericId } from "../../src/protocol/identifier.ts";
import { Caller } from "../commands/caller.ts";
import { active, inactive, loginRequest, plainTopic, waitFor } from "../commands/world.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { HttpTestClient } from "../transport/http-client.ts";
import { QuicClient } from "../transport/quic-client.ts";
import {
  type Account,
  createAccount,
  expectedStatuses,
  type LoginsEverywhere,
  logInEverywhere,
  logInOverHttp,
  statusesOf,
} from "./logins-everywhere.ts";

setDefaultTimeout(120_000);

const servers = useServers();
const env = {
  IGGY_QUIC_ENABLED: "true",
  IGGY_QUIC_ADDRESS: "127.0.0.1:0",
  IGGY_HTTP_JWT_ENCODING_SECRET: "a secret that outlives a restart",
};
let server: TestServer;
let quic: QuicClient;
let root: Caller;
const opened: { close(): void }[] = [];

beforeAll(async () => {
  server = await servers.start({ shards: 2, env });
  quic = new QuicClient(servers.makeDirectory());
  root = await Caller.withPassword(server, "iggy", "iggy");
});
afterEach(() => {
  for (const logins of opened.splice(0)) logins.close();
});
afterAll(() => quic.stop());

async function everywhere(shown: Parameters<typeof logInEverywhere>[2]): Promise<LoginsEverywhere> {
  const logins = await logInEverywhere(server, quic, shown);
  opened.push(logins);
  return logins;
}

async function connect(): Promise<Caller> {
  const caller = await Caller.connect(server);
  opened.push(caller);
  return caller;
}

async function setStatus({ id }: Account, statusCode: number): Promise<void> {
  await root.value("updateUser", { user: numericId(id), username: undefined, statusCode });
}

function passwordChange({ id, password }: Account, newPassword: string) {
  return { user: numericId(id), currentPassword: password, newPassword };
}

async function passwordStatus({ name }: Account, password: string): Promise<number> {
  return (await connect()).status("loginUser", loginRequest(name, password));
}

async function tokenStatus({ token }: Account): Promise<number> {
  return (await connect()).status("loginWithPersonalAccessToken", { token });
}

describe("a user that is deactivated", () => {
  test("may do nothing any more, on any transport, also when it is active again", async () => {
    const account = await createAccount(root, server);
    const logins = [await everywhere(account), await everywhere({ token: account.token })];
    const all = logins.flatMap((of) => of.all);
    expect(await statusesOf(all)).toEqual(expectedStatuses(all, "hold"));
    await setStatus(account, inactive);
    expect(await statusesOf(all)).toEqual(expectedStatuses(all, "over"));
    for (const login of logins.flatMap(({ binary }) => binary)) {
      expect(await login.ask("getClusterMetadata", undefined)).toBe(41);
      expect(await login.ask("createStream", { name: "by nobody" })).toBe(41);
      expect(await login.ask("getUser", { user: numericId(account.id) })).toBe(41);
      expect(await login.ask("changePassword", passwordChange(account, "another secret"))).toBe(41);
      expect(await login.ask("getPersonalAccessTokens", undefined)).toBe(20);
      expect(await login.ask("createPersonalAccessToken", { name: "late", expiryMicros: 0n })).toBe(20);
    }
    for (const login of logins.flatMap(({ http }) => http)) {
      expect((await login.client.request("GET", "/cluster/metadata")).status).toBe(401);
      expect(await login.refresh()).toBe(401);
    }
    expect(await passwordStatus(account, account.password)).toBe(47);
    expect(await tokenStatus(account)).toBe(47);

    await setStatus(account, active);
    expect(await statusesOf(all)).toEqual(expectedStatuses(all, "over"));
    for (const login of logins.flatMap(({ http }) => http)) expect(await login.refresh()).toBe(401);
    expect(await passwordStatus(account, account.password)).toBe(0);
    expect(await tokenStatus(account)).toBe(0);
    expect(await (await logInOverHttp(server, account)).status()).toBe(200);
  });

  test("may not send where it has just sent, and leaves its groups to others", async () => {
    const account = await createAccount(root, server);
    const [stream, topic, group] = [nameId("left"), nameId("topic"), nameId("group")];
    await root.content("createStream", { name: "left" });
    await root.content("createTopic", { stream, partitionsCount: 1, ...plainTopic, name: "topic" });
    await root.content("createConsumerGroup", { stream, topic, name: "group" });
    const { binary } = await everywhere(account);
    const send = {
      ...{ stream, topic, partitioning: { kind: "partition", partitionId: 0 } as const },
      messages: [{ payload: new TextEncoder().encode("text") }],
    };
    for (const login of binary) {
      expect(await login.ask("sendMessages", send)).toBe(0);
      expect(await login.ask("joinConsumerGroup", { stream, topic, group })).toBe(0);
    }
    await setStatus(account, inactive);
    for (const login of binary) expect(await login.ask("sendMessages", send)).toBe(41);
    await waitFor("the group is left", async () => {
      const { membersCount } = await root.content("getConsumerGroup", { stream, topic, group });
      return membersCount === 0;
    });
  });
});

describe("a new password", () => {
  test("ends what its user has open, but not the connection that asked for it; tokens still log in", async () => {
    const account = await createAccount(root, server);
    const logins = [await everywhere(account), await everywhere({ token: account.token })];
    for (const asking of [logins[0]!.binary[1]!, logins[0]!.binary[4]!, logins[0]!.binary[6]!]) {
      const fresh = [await everywhere(account), await everywhere({ token: account.token })];
      const asked = await everywhere(account);
      const asker = asked.binary.find(({ name }) => name === asking.name)!;
      const others = [...fresh.flatMap(({ all }) => all), ...asked.all.filter((login) => login !== asker)];
      expect(await asker.ask("changePassword", passwordChange(account, account.password))).toBe(0);
      expect(await statusesOf(others)).toEqual(expectedStatuses(others, "over"));
      expect(await asker.status()).toBe(0);
      expect(await asker.ask("changePassword", passwordChange(account, account.password))).toBe(0);
      expect(await asker.status()).toBe(0);
    }
    const all = logins.flatMap((of) => of.all);
    expect(await statusesOf(all)).toEqual(expectedStatuses(all, "over"));
    for (const { refresh } of logins.flatMap(({ http }) => http)) expect(await refresh()).toBe(401);
    expect(await passwordStatus(account, account.password)).toBe(0);
    expect(await tokenStatus(account)).toBe(0);
  });

  test("over HTTP keeps the access token that asked, and what it is exchanged for, also over a restart", async () => {
    const own = await servers.start({ shards: 2, env });
    const admin = await Caller.withPassword(own, "iggy", "iggy");
    const account = await createAccount(admin, own);
    const logins = await logInEverywhere(own, quic, account);
    opened.push(logins, admin);
    const { client } = await logInOverHttp(own, account);
    const body = { current_password: account.password, new_password: "another secret" };
    expect((await client.request("PUT", `/users/${account.id}/password`, body)).status).toBe(204);
    expect(await statusesOf(logins.all)).toEqual(expectedStatuses(logins.all, "over"));
    expect((await client.request("GET", "/streams")).status).toBe(200);

    await own.restart();
    const later = new HttpTestClient(own);
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    expect((await later.request("GET", "/streams", undefined, bearer(client.token))).status).toBe(200);
    expect((await later.request("GET", "/streams", undefined, bearer(logins.http[0]!.client.token))).status).toBe(401);
    await later.logIn("/users/refresh-token", { token: client.token });
    expect((await later.request("GET", "/streams")).status).toBe(200);
    await own.stop();
  });

  test("by an administrator ends everything of the user, and nothing of the administrator", async () => {
    const account = await createAccount(root, server);
    const { all } = await everywhere(account);
    expect(await root.status("changePassword", passwordChange(account, "another secret"))).toBe(0);
    expect(await statusesOf(all)).toEqual(expectedStatuses(all, "over"));
    expect(await root.status("getStreams", undefined)).toBe(0);
  });

  test("that is refused ends nothing", async () => {
    const account = await createAccount(root, server);
    const { all, binary } = await everywhere(account);
    const wrong = { ...passwordChange(account, "another secret"), currentPassword: "wrong" };
    expect(await binary[0]!.ask("changePassword", wrong)).toBe(42);
    expect(await statusesOf(all)).toEqual(expectedStatuses(all, "hold"));
  });
});

test("a personal access token that is deleted ends what was opened with it, and nothing else", async () => {
  const account = await createAccount(root, server);
  const own = await Caller.withPassword(server, account.name, account.password);
  opened.push(own);
  const { token } = await own.content("createPersonalAccessToken", { name: "second", expiryMicros: 0n });
  const [byPassword, byFirst, bySecond] = [
    await everywhere(account),
    await everywhere({ token: account.token }),
    await everywhere({ token }),
  ];
  await own.value("deletePersonalAccessToken", { name: "second" });
  expect(await statusesOf(bySecond.all)).toEqual(expectedStatuses(bySecond.all, "over"));
  expect(await bySecond.http[0]!.refresh()).toBe(401);
  const kept = [...byPassword.all, ...byFirst.all];
  expect(await statusesOf(kept)).toEqual(expectedStatuses(kept, "hold"));
  // A connection that asks for it itself stays.
  const [asking, ...others] = byFirst.binary;
  expect(await asking!.ask("deletePersonalAccessToken", { name: "first" })).toBe(0);
  expect(await asking!.status()).toBe(0);
  expect(await statusesOf(others)).toEqual(expectedStatuses(others, "over"));
  expect(await statusesOf(byPassword.all)).toEqual(expectedStatuses(byPassword.all, "hold"));
  // Another one of the same name is another one.
  await own.content("createPersonalAccessToken", { name: "second", expiryMicros: 0n });
  expect(await statusesOf(bySecond.all)).toEqual(expectedStatuses(bySecond.all, "over"));
});
