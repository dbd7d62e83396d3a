// kill -9 under load, again and again on the same data: what was acknowledged is there afterwards, once, in order and intact.
import { expect, test } from "bun:test";
import type { IggyClient } from "../../src/client/index.ts";
import { seededRandom } from "../../src/platform/random.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { pollMessagesRequestCodec } from "../../src/protocol/message/poll-messages.ts";
import { PollReplyLayout } from "../../src/protocol/message-layout.ts";
import { loginUserRequestCodec } from "../../src/protocol/user/login-user.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { PartitionLedger } from "./ledger.ts";
import { produce, streamName, TopicLedger } from "./load.ts";

const servers = useServers();
const roundsCount = 20;
const producersCount = 3;
const requestsUnderWay = 16;
const pollCount = 2000;
const login = encode(loginUserRequestCodec, { username: "iggy", password: "iggy", version: "", context: "" });

/** Reads a partition from `firstOffset` to its end into its ledger. */
async function readInto(client: IggyClient, ledger: PartitionLedger, firstOffset: number): Promise<number> {
  let offset = firstOffset;
  for (;;) {
    const request = encode(pollMessagesRequestCodec, {
      consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
      stream: { kind: "string", value: streamName },
      topic: { kind: "numeric", value: ledger.topicId },
      partitionId: ledger.partitionId,
      strategy: { kind: "offset", value: BigInt(offset) },
      count: pollCount,
      autoCommit: false,
    });
    const reply = await client.exchange(CommandCode.pollMessages, request);
    const count = ledger.check(offset, reply.subarray(PollReplyLayout.messages));
    if (count === 0) return offset;
    offset += count;
  }
}

async function checkTopics(client: IggyClient, topics: TopicLedger): Promise<void> {
  const names = (await client.getTopics(streamName)).map((topic) => topic.name);
  expect(new Set(names).size).toBe(names.length);
  const present = new Set(names);
  expect([...topics.alive].filter((name) => !present.has(name) && !topics.open.has(name))).toEqual([]);
  expect([...topics.deleted].filter((name) => present.has(name))).toEqual([]);
}

/** The message of each topic of this round: acknowledged ones are there, and nothing of an earlier topic of the same id. */
async function checkTopicMessages(client: IggyClient, topics: TopicLedger, prefix: string): Promise<void> {
  for (const name of topics.alive) {
    if (!name.startsWith(prefix)) continue;
    const { messages } = await client.pollMessages({
      consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
      stream: streamName,
      topic: name,
      partitionId: 1,
      strategy: { kind: "offset", value: 0n },
      count: 10,
    });
    const texts = messages.map(({ payload }) => new TextDecoder().decode(payload));
    if (topics.sent.has(name)) expect(texts).toEqual([name]);
    else expect([[], [name]]).toContainEqual(texts);
  }
}

async function prepare(server: TestServer): Promise<PartitionLedger[]> {
  const client = await server.connect();
  await client.createStream(streamName);
  const ledgers: PartitionLedger[] = [];
  for (const name of ["first", "second"]) {
    const topic = await client.createTopic(streamName, { name, partitionsCount: 3 });
    for (let partitionId = 0; partitionId < 3; partitionId++) ledgers.push(new PartitionLedger(topic.id, partitionId));
  }
  client.close();
  return ledgers;
}

for (const acknowledge of ["write", "sync"] as const) {
  test(`kill -9 under load loses nothing that was acknowledged (${acknowledge})`, async () => {
    const server = await servers.start({ shards: 2, env: { IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: acknowledge } });
    const random = seededRandom(acknowledge === "write" ? 1 : 2);
    const ledgers = await prepare(server);
    const topics = new TopicLedger();
    let acknowledgedCount = 0;
    for (let round = 0; round < roundsCount; round++) {
      const { host, port } = server;
      const load = Array.from({ length: producersCount }, (_, id) =>
        produce({ host, port }, login, id, ledgers, requestsUnderWay, random.u32()),
      );
      const churn = topics.run({ host, port }, round);
      await Bun.sleep(150 + (random.u32() % 350));
      await server.kill();
      for (const count of await Promise.all(load)) acknowledgedCount += count;
      await churn;

      await server.restart();
      const client = await server.connect();
      for (const ledger of ledgers) {
        await readInto(client, ledger, ledger.foundCount);
        expect(ledger.missingCount).toBe(0);
      }
      await checkTopics(client, topics);
      await checkTopicMessages(client, topics, `round-${round}-`);
      client.close();
    }

    // Once more from the start: nothing that was there after any of the crashes has gone or changed.
    const client = await server.connect();
    for (const ledger of ledgers) expect(await readInto(client, ledger, 0)).toBe(ledger.foundCount);
    await checkTopicMessages(client, topics, "round-");
    client.close();
    expect(acknowledgedCount).toBeGreaterThan(roundsCount * 100);
    expect(server.log).not.toContain("ERROR");
    await server.stop();
  }, 60_000);
}
