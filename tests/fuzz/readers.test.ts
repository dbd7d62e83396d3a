// Clients that ask for much and do not take it.
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { pollMessagesRequestCodec } from "../../src/protocol/message/poll-messages.ts";
import { PollReplyLayout } from "../../src/protocol/message-layout.ts";
import { parseMessages } from "../storage/harness.ts";
import { descriptorCount, eventually, growsLessThan, residentBytes } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { joined, mebibyte, prepare, serveOthers } from "./calm.ts";
import { closeRawClients, RawClient } from "./raw-client.ts";

const servers = useServers();
let server: TestServer;

beforeAll(async () => {
  server = await servers.start({ shards: 2 });
  await prepare(server);
});

afterEach(async () => {
  closeRawClients();
  await serveOthers(server);
  expect(server.log).not.toContain("ERROR");
});

describe("readers", () => {
  const topicBytes = 8 * mebibyte;

  function pollFrame(partitionId: number): Uint8Array {
    const request = encode(pollMessagesRequestCodec, {
      consumer: { kind: "consumer", id: { kind: "numeric", value: 1 } },
      stream: { kind: "string", value: "calm" },
      topic: { kind: "string", value: "read" },
      partitionId,
      strategy: { kind: "first", value: 0n },
      count: 1000,
      autoCommit: false,
    });
    return encodeRequestFrame(CommandCode.pollMessages, request);
  }

  /** A topic with a few megabytes in each of two partitions, which different shards own. */
  async function fillTopic(): Promise<void> {
    const client = await server.connect();
    await client.createTopic("calm", { name: "read", partitionsCount: 2 });
    for (const partitionId of [0, 1]) {
      const messages = Array.from({ length: 100 }, () => ({ payload: new Uint8Array(topicBytes / 100) }));
      await client.sendMessages({
        stream: "calm",
        topic: "read",
        partitioning: { kind: "partition", partitionId },
        messages,
      });
    }
    client.close();
  }

  async function deleteTopic(): Promise<void> {
    const client = await server.connect();
    await client.deleteTopic("calm", "read");
    client.close();
  }

  test("that ask for much and read nothing take no memory", async () => {
    await fillTopic();
    const before = residentBytes(server.pid);
    for (let index = 0; index < 20; index++) {
      const client = await RawClient.connectLoggedIn(server.port);
      client.stopReading();
      client.write(joined(Array.from({ length: 50 }, () => pollFrame(index % 2))));
    }
    await Bun.sleep(200);
    await serveOthers(server, 20);
    await growsLessThan(60 * mebibyte, () => residentBytes(server.pid), before);
    closeRawClients();
    await deleteTopic();
  });

  test.each([
    "purge",
    "delete",
  ] as const)("that wait get what they asked for, after a %s of the topic", async (change) => {
    await fillTopic();
    const waiting: RawClient[] = [];
    for (const partitionId of [0, 1, 0, 1]) {
      const client = await RawClient.connectLoggedIn(server.port);
      client.write(pollFrame(partitionId));
      await client.stopReadingAtNext();
      waiting.push(client);
    }
    const client = await server.connect();
    if (change === "purge") await client.purgeTopic("calm", "read");
    await client.deleteTopic("calm", "read");
    client.close();
    for (const reader of waiting) {
      reader.readAgain();
      const [reply] = await reader.take(1);
      expect(parseMessages(reply!.payload.subarray(PollReplyLayout.messages))).toHaveLength(100);
    }
  });

  test("that ask and leave keep no file open", async () => {
    await serveOthers(server, 10);
    await Bun.sleep(100);
    const before = descriptorCount(server.pid);
    await fillTopic();
    for (let round = 0; round < 60; round++) {
      const client = await RawClient.connectLoggedIn(server.port);
      if (round % 2 === 0) client.stopReading();
      client.write(joined(Array.from({ length: 4 }, (_, index) => pollFrame((round + index) % 2))));
      if (round % 3 === 0) await Bun.sleep(1);
      client.close();
    }
    await deleteTopic();
    await eventually(
      "no file is open",
      () => descriptorCount(server.pid) - before,
      (more) => more <= 0,
    );
  });
});
