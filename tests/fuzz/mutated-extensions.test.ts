// Requests of our own with damage, from the recorded ones that they contain: whatever comes, each is answered with success or an
// error of the table, a ping behind it too, and the log stays free of errors.
import { beforeAll, expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorNameOf } from "../../src/protocol/errors.ts";
import { backupPointRequestCodec } from "../../src/protocol/extensions/backup.ts";
import { ExtensionCode, isPushCode } from "../../src/protocol/extensions/codes.ts";
import { followPartitionsRequestCodec } from "../../src/protocol/extensions/follow-partitions.ts";
import { pollWaitingRequestCodec } from "../../src/protocol/extensions/poll-waiting.ts";
import {
  addCreditRequestCodec,
  subscribeRequestCodec,
  unsubscribeRequestCodec,
} from "../../src/protocol/extensions/subscribe.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { sendMessagesRequestCodec } from "../../src/protocol/message/send-messages.ts";
import { groupTargetCodec } from "../../src/protocol/targets.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient, type WireReply } from "../support/wire-client.ts";
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
const poll100 = (kind: "consumer" | "group", partitionId: number | undefined) => ({
  consumer: { kind, id: group },
  stream,
  topic,
  partitionId,
  strategy: { kind: "offset", value: 0n } as const,
  count: 2,
  autoCommit: true,
});
const subscribe = (subscriptionId: number, kind: "consumer" | "group", partitionId: number) =>
  encode(subscribeRequestCodec, { ...poll100(kind, partitionId), subscriptionId, credit: 500 });
const requests = [
  { code: ExtensionCode.getFeatures, payload: new Uint8Array(3) },
  { code: ExtensionCode.joinWithAssignment, payload: encode(groupTargetCodec, { stream, topic, group }) },
  { code: ExtensionCode.pollWaiting, payload: poll("consumer", 1) },
  { code: ExtensionCode.pollWaiting, payload: poll("group", undefined) },
  { code: ExtensionCode.pollWaiting, payload: poll("group", 0) },
  { code: ExtensionCode.subscribe, payload: subscribe(1, "consumer", 1) },
  { code: ExtensionCode.subscribe, payload: subscribe(2, "group", 0) },
  {
    code: ExtensionCode.followPartitions,
    payload: encode(followPartitionsRequestCodec, {
      subscriptionId: 3,
      consumer: { kind: "group", id: group },
      stream,
      topic,
    }),
  },
  {
    code: ExtensionCode.addCredit,
    payload: encode(addCreditRequestCodec, { subscriptionId: 1, credit: 100 }),
  },
  {
    code: ExtensionCode.sendWithReceipt,
    payload: encode(sendMessagesRequestCodec, {
      stream,
      topic,
      partitioning: { kind: "balanced" },
      messages: [{ payload: new Uint8Array(20) }, { payload: new Uint8Array(1) }],
    }),
  },
  { code: ExtensionCode.beginBackup, payload: new Uint8Array(0) },
  { code: ExtensionCode.keepBackup, payload: encode(backupPointRequestCodec, { pointId: "0123456789abcdef" }) },
  { code: ExtensionCode.endBackup, payload: encode(backupPointRequestCodec, { pointId: "0123456789abcdef" }) },
  ...[1, 2, 3].map((subscriptionId) => ({
    code: ExtensionCode.unsubscribe,
    payload: encode(unsubscribeRequestCodec, { subscriptionId }),
  })),
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

/** What is pushed stands between. */
async function replyOf(client: WireClient): Promise<WireReply> {
  for (;;) {
    const frame = await client.receive();
    if (frame === undefined) throw new Error("the connection ended");
    if (!isPushCode(frame.status)) return frame;
  }
}

test.each(["tcp", "websocket"] as const)("over %s", async (transport) => {
  const random = seededRandom(transport.length);
  const client = await WireClient.connect({ host: server.host, port: server.portOf(transport) }, "sdk", { transport });
  await client.login();
  for (let round = 0; round < rounds; round++) {
    for (const { code, payload } of requests) {
      const sent = round === 0 ? payload : mutate(payload, random);
      client.write(client.frame(code, sent), client.frame(CommandCode.ping));
      const reply = await replyOf(client);
      const pong = await replyOf(client);
      const { status } = reply;
      if (status === 1 || (status !== 0 && errorNameOf(status) === undefined)) {
        throw new Error(`code ${code}, payload ${sent.toHex()}: status ${status}`);
      }
      expect(pong).toEqual({ status: 0, payload: new Uint8Array(0) });
    }
  }
  client.close();
  expect(server.log).not.toContain("ERROR");
}, 120_000);
