// What the console's session says of streams and topics that the rights name: their names, and of nothing else.
import { expect, test } from "bun:test";
import type { StreamPermissions, TopicPermissions } from "../../src/protocol/records/permissions.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { useServers } from "../support/server.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

const servers = useServers();
const server = await servers.start();
const root = await server.connect();
for (const stream of ["first", "second", "third"]) {
  await root.createStream(stream);
  for (const topic of ["a", "b"]) await root.createTopic(stream, { name: topic, partitionsCount: 1 });
}
const idOf = async (stream: string) => (await root.getStream(stream))!.id;

function streamRights(streamId: number, topics: readonly TopicPermissions[], readStream = false): StreamPermissions {
  const none = {
    manageStream: false,
    manageTopics: false,
    readTopics: false,
    pollMessages: false,
    sendMessages: false,
  };
  return { streamId, readStream, ...none, topics };
}

function topicRights(topicId: number, pollMessages: boolean): TopicPermissions {
  return { topicId, manageTopic: false, readTopic: false, pollMessages, sendMessages: false };
}

test("only what there is a right to has a name, and the name is that of now", async () => {
  const [first, second, third] = await Promise.all(["first", "second", "third"].map(idOf));
  const streams = [
    streamRights(first!, [topicRights(0, false), topicRights(1, true)]),
    streamRights(second!, [topicRights(0, false)]),
    streamRights(third!, [], true),
  ];
  await root.createUser({ username: "ann", password: "secret", permissions: { global: noGlobalRights, streams } });
  const client = await ConsoleTestClient.signIn(server, { username: "ann", password: "secret" });
  const named = async () => ((await client.session()).json as { readonly named: unknown }).named;
  expect(await named()).toEqual([
    { streamId: first, name: "first", topics: [{ topicId: 1, name: "b" }] },
    { streamId: third, name: "third", topics: [] },
  ]);
  await root.updateStream("first", "renamed");
  await root.deleteStream("third");
  expect(await named()).toEqual([{ streamId: first, name: "renamed", topics: [{ topicId: 1, name: "b" }] }]);
});
