// Users, tokens and the snapshot by the client's methods, against the real server.
import { beforeAll, describe, expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { rejection } from "./scripted-server.ts";

const servers = useServers();
let server: TestServer;
beforeAll(async () => {
  server = await servers.start({ shards: 2 });
}, 120_000);

const reader = { global: { ...noGlobalRights, readStreams: true }, streams: [] };

async function expectRefusal(promise: Promise<unknown>, errorName: string): Promise<void> {
  const error = await rejection(promise);
  expect(error).toBeInstanceOf(IggyError);
  expect(error).toMatchObject({ errorName });
}

describe.each(["tcp", "websocket"] as const)("over %s", (transport) => {
  const connect = (username = "iggy", password = "iggy"): Promise<Client> =>
    server.connect({ transport, port: server.portOf(transport), username, password });

  test("a user may do what its permissions say, until they change", async () => {
    const root = await connect();
    const username = `reader-${transport}`;
    const created = await root.createUser({ username, password: "secret", permissions: reader });
    expect(created).toMatchObject({ username, status: "active", permissions: reader });
    expect(created.createdAtMicros).toBeGreaterThan(0n);
    expect(await root.getUser(username)).toEqual(created);
    const { permissions: _, ...header } = created;
    expect(await root.getUsers()).toContainEqual(header);
    await expectRefusal(root.createUser({ username, password: "secret" }), "UserAlreadyExists");

    const user = await connect(username, "secret");
    expect(await user.getStreams()).toBeInstanceOf(Array);
    expect(await user.getUser(created.id)).toEqual(created);
    await expectRefusal(user.createStream("refused"), "Unauthorized");
    await expectRefusal(user.getUsers(), "Unauthorized");

    const writer = { global: { ...noGlobalRights, manageStreams: true }, streams: [] };
    await root.updatePermissions(created.id, writer);
    expect((await root.getUser(created.id))?.permissions).toEqual(writer);
    const stream = `made-${transport}`;
    await user.createStream(stream);
    await user.deleteStream(stream);
    await root.updatePermissions(created.id, undefined);
    expect((await root.getUser(created.id))?.permissions).toBeUndefined();
    await expectRefusal(user.getStreams(), "Unauthorized");

    await root.deleteUser(username);
    expect(await root.getUser(username)).toBeUndefined();
    await expectRefusal(connect(username, "secret"), "InvalidCredentials");
    await expectRefusal(root.deleteUser(username), "ResourceNotFound");
    for (const client of [root, user]) client.close();
  });

  test("rights for one topic are for that topic only", async () => {
    const root = await connect();
    const stream = `rights-${transport}`;
    const { id: streamId } = await root.createStream(stream);
    const { id: topicId } = await root.createTopic(stream, { name: "open", partitionsCount: 1 });
    await root.createTopic(stream, { name: "closed", partitionsCount: 1 });
    const topics = [{ topicId, manageTopic: false, readTopic: false, pollMessages: false, sendMessages: true }];
    const none = { manageStream: false, readStream: false, manageTopics: false, readTopics: false };
    const streams = [{ streamId, ...none, pollMessages: false, sendMessages: false, topics }];
    const username = `sender-${transport}`;
    await root.createUser({ username, password: "secret", permissions: { global: noGlobalRights, streams } });
    const user = await connect(username, "secret");
    const messages = [{ payload: Uint8Array.of(1) }];
    await user.sendMessages({ stream, topic: "open", messages });
    await expectRefusal(user.sendMessages({ stream, topic: "closed", messages }), "Unauthorized");
    for (const client of [root, user]) client.close();
  });

  test("a name, a status and a password are updated one by one", async () => {
    const root = await connect();
    const [first, second] = [`first-${transport}`, `second-${transport}`];
    const { id } = await root.createUser({ username: first, password: "secret", status: "inactive" });
    await expectRefusal(connect(first, "secret"), "UserInactive");
    await root.updateUser(first, { status: "active" });
    await root.updateUser(first, { username: second });
    expect(await root.getUser(id)).toMatchObject({ id, username: second, status: "active" });
    const user = await connect(second, "secret");
    await expectRefusal(user.changePassword(second, "wrong", "secret-2"), "InvalidCredentials");
    await user.changePassword(second, "secret", "secret-2");
    await expectRefusal(connect(second, "secret"), "InvalidCredentials");
    (await connect(second, "secret-2")).close();
    for (const client of [root, user]) client.close();
  });

  test("tokens of the own user are made, listed, logged in with and deleted", async () => {
    const root = await connect();
    const name = `token-${transport}`;
    const text = await root.createPersonalAccessToken(name, 0n);
    const fromMs = Date.now() - 100; // the clocks of two processes
    await root.createPersonalAccessToken(`${name}-2`, 3_600_000_000n);
    const untilMs = Date.now() + 100;
    const tokens = await root.getPersonalAccessTokens();
    expect(tokens).toContainEqual({ name, expiryAtMicros: 0n });
    const createdMicros = (tokens.find((token) => token.name === `${name}-2`)?.expiryAtMicros ?? 0n) - 3_600_000_000n;
    expect(createdMicros >= BigInt(fromMs) * 1000n && createdMicros <= BigInt(untilMs) * 1000n).toBe(true);
    const other = await connect();
    await other.logout();
    await expectRefusal(other.getPersonalAccessTokens(), "Unauthenticated");
    expect(await other.loginWithToken(text)).toBe((await root.getUser("iggy"))!.id);
    await root.deletePersonalAccessToken(name);
    await expectRefusal(root.deletePersonalAccessToken(name), "ResourceNotFound");
    await expectRefusal(other.loginWithToken(text), "ResourceNotFound");
    for (const client of [root, other]) client.close();
  });

  test("a snapshot is a ZIP archive of what was asked for", async () => {
    const root = await connect();
    const archive = Buffer.from(await root.getSnapshot({ compression: "stored", types: ["test"] }));
    expect(archive.readUInt32LE(0)).toBe(0x04034b50);
    expect(archive.includes("test.txt")).toBe(true);
    expect(archive.includes("server_config.txt")).toBe(false);
    await expectRefusal(root.getSnapshot({ types: ["all", "test"] }), "InvalidCommand");
    root.close();
  });
});
