// Every command of the protocol has a method on the client, and an error of the server arrives by its name.
import { afterAll, expect, test } from "bun:test";
import type { Client } from "../../src/client/index.ts";
import { decodeStrict } from "../../src/protocol/codec.ts";
import { CommandCode, type CommandName } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { numericId } from "../../src/protocol/identifier.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { connectClient } from "../support/client.ts";
import { rejection, startScriptedServer } from "./scripted-server.ts";

const offset = { consumer: { kind: "consumer", id: numericId(1) }, stream: 1, topic: 1, partitionId: 0 } as const;
const topic = { name: "eu" };
/** With everything given nothing is asked before. */
const wholeTopic = {
  ...topic,
  compression: "none",
  messageExpiryMicros: 0n,
  maxTopicSizeBytes: 0n,
  replicationFactor: 1,
} as const;
const messages = [{ payload: Uint8Array.of(1) }];

/** Commands of our own, which tests/extensions are about. */
const extensions = [
  "features",
  "pollWaiting",
  "sendWithReceipt",
  "joinWithAssignment",
  "beginBackup",
  "keepBackup",
  "endBackup",
] as const;
type MethodName = Exclude<
  keyof Client,
  | "exchange"
  | "state"
  | "server"
  | "topic"
  | "events"
  | "close"
  | typeof Symbol.asyncDispose
  | (typeof extensions)[number]
>;
type Row = { [Name in MethodName]: readonly [Name, ...Parameters<Client[Name]>] }[MethodName];

/** Method and arguments of each command. */
const methods: Readonly<Record<CommandName, Row>> = {
  ping: ["ping"],
  getStats: ["getStats"],
  getSnapshot: ["getSnapshot", { types: ["test"] }],
  getClusterMetadata: ["getClusterMetadata"],
  getMe: ["getMe"],
  getClient: ["getClient", 1],
  getClients: ["getClients"],
  getUser: ["getUser", 1],
  getUsers: ["getUsers"],
  createUser: ["createUser", { username: "ann", password: "secret" }],
  deleteUser: ["deleteUser", "ann"],
  updateUser: ["updateUser", "ann", { status: "inactive" }],
  updatePermissions: ["updatePermissions", "ann", undefined],
  changePassword: ["changePassword", "ann", "secret", "secret-2"],
  loginUser: ["login", "ann", "secret"],
  logoutUser: ["logout"],
  getPersonalAccessTokens: ["getPersonalAccessTokens"],
  createPersonalAccessToken: ["createPersonalAccessToken", "ci-token", 0n],
  deletePersonalAccessToken: ["deletePersonalAccessToken", "ci-token"],
  loginWithPersonalAccessToken: ["loginWithToken", "text"],
  pollMessages: ["pollMessages", { ...offset, strategy: { kind: "next", value: 0n }, count: 1 }],
  sendMessages: ["sendMessages", { stream: 1, topic: 1, messages }],
  flushUnsavedBuffer: ["flushUnsavedBuffer", 1, 1, 0, true],
  getConsumerOffset: ["getConsumerOffset", offset],
  storeConsumerOffset: ["storeConsumerOffset", { ...offset, offset: 1n }],
  deleteConsumerOffset: ["deleteConsumerOffset", offset],
  getStream: ["getStream", 1],
  getStreams: ["getStreams"],
  createStream: ["createStream", "orders"],
  deleteStream: ["deleteStream", 1],
  updateStream: ["updateStream", 1, "orders"],
  purgeStream: ["purgeStream", 1],
  getTopic: ["getTopic", 1, 1],
  getTopics: ["getTopics", 1],
  createTopic: ["createTopic", 1, { ...topic, partitionsCount: 1 }],
  deleteTopic: ["deleteTopic", 1, 1],
  updateTopic: ["updateTopic", 1, 1, wholeTopic],
  purgeTopic: ["purgeTopic", 1, 1],
  createPartitions: ["createPartitions", 1, 1, 1],
  deletePartitions: ["deletePartitions", 1, 1, 1],
  deleteSegments: ["deleteSegments", 1, 1, 0, 1],
  getConsumerGroup: ["getConsumerGroup", 1, 1, 1],
  getConsumerGroups: ["getConsumerGroups", 1, 1],
  createConsumerGroup: ["createConsumerGroup", 1, 1, "group"],
  deleteConsumerGroup: ["deleteConsumerGroup", 1, 1, 1],
  joinConsumerGroup: ["joinConsumerGroup", 1, 1, 1],
  leaveConsumerGroup: ["leaveConsumerGroup", 1, 1, 1],
};

/** Whoever connects asks with a ping who is there, and what it can do. */
const server = startScriptedServer((request) => {
  if (request.code === ExtensionCode.getFeatures) return request.refuse(3);
  const isFirst =
    server.requests.filter(({ connectionIndex }) => connectionIndex === request.connectionIndex).length === 1;
  return isFirst ? request.reply() : request.refuse(41);
});
afterAll(() => server.stop());

test("no command of the protocol is without a method, and no method is there twice", () => {
  expect(Object.keys(methods).sort()).toEqual(Object.keys(commandCodecs).sort());
  expect(new Set(Object.values(methods).map(([method]) => method)).size).toBe(Object.keys(commandCodecs).length);
});

const names = Object.keys(CommandCode) as CommandName[];
test.each(
  names,
)("%s: its method sends this command, and a refusal arrives as an IggyError with its name", async (name) => {
  const client = await connectClient({ host: "127.0.0.1", port: server.port, reconnect: false });
  const [method, ...values] = methods[name];
  const call: unknown = Reflect.apply(client[method], client, values);
  const error = await rejection(Promise.resolve(call));
  await client.close();
  expect(error).toBeInstanceOf(IggyError);
  expect(error).toMatchObject({ errorName: "Unauthorized", code: 41 });
  const sent = server.requests.at(-1)!;
  expect(sent.code).toBe(CommandCode[name]);
  expect(() => decodeStrict<unknown>(commandCodecs[name].request, sent.payload)).not.toThrow();
});
