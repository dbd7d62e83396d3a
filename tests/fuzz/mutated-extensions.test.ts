// Requests of our own with damage, from the recorded ones that they contain: whatever comes, each is answered with success or an
// error of the table, a ping behind it too, and the log stays free of errors.
import { beforeAll, expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorNameOf } from "../../src/protocol/errors.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { pollWaitingRequestCodec } from "../../src/protocol/extensions/poll-waiting.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { sendMessagesRequestCodec } from "../../src/protocol/message/send-messages.ts";
import { groupTargetCodec } from "../../src/protocol/targets.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";
import { mutate } from "./mutate.ts";

const servers = useServers();
const rounds = 300;
const stream = nameId("orders");
const topic = nameId("eu");
const group = nameId("billing");

const poll = (kind: "consumer" | "group", partitionId: number | undefined) =>
  encode(pollWaitingRequestCodec, {
    consumer: { kind, id: group },
    stream,
    topic,
    partitionId,
    strategy: { kind: "next", value: 0n },
    count: 10,
    autoCommit: true,
    waitMs: 20_000,
    bytesMax: 1000,
    knownAssignment: 0n,
    positions: [{ partitionId: 1, offset: 1n }],
  });
const requests = [
  { code: ExtensionCode.getFeatures, payload: new Uint8Array(3) },
  { code: ExtensionCode.joinWithAssignment, payload: encode(groupTargetCodec, { stream, topic, group }) },
  { code: ExtensionCode.pollWaiting, payload: poll("consumer", 1) },
  { code: ExtensionCode.pollWaiting, payload: poll("group", undefined) },
  { code: ExtensionCode.pollWaiting, payload: poll("group", 0) },
  {
    code: ExtensionCode.sendWithReceipt,
    payload: encode(sendMessagesRequestCodec, {
      stream,
      topic,
      partitioning: { kind: "balanced" },
      messages: [{ payload: new Uint8Array(20) }, { payload: new Uint8Array(1) }],
    }),
  },
];

let server: TestServer;
beforeAll(async () => {
  server = await servers.start({ shards: 2 });
  const admin = await server.connect();
  await admin.createStream("orders");
  await admin.createTopic("orders", { name: "eu", partitionsCount: 3 });
  await admin.createConsumerGroup("orders", "eu", "billing");
  admin.close();
});

test.each(["tcp", "websocket"] as const)("over %s", async (transport) => {
  const random = seededRandom(transport.length);
  const client = await WireClient.connect({ host: server.host, port: server.portOf(transport) }, "sdk", { transport });
  await client.login();
  for (let round = 0; round < rounds; round++) {
    for (const { code, payload } of requests) {
      const sent = round === 0 ? payload : mutate(payload, random);
      client.write(client.frame(code, sent), client.frame(CommandCode.ping));
      const [reply, pong] = await client.receiveMany(2);
      const { status } = reply!;
      if (status === 1 || (status !== 0 && errorNameOf(status) === undefined)) {
        throw new Error(`code ${code}, payload ${sent.toHex()}: status ${status}`);
      }
      expect(pong).toEqual({ status: 0, payload: new Uint8Array(0) });
    }
  }
  client.close();
  expect(server.log).not.toContain("ERROR");
}, 120_000);
