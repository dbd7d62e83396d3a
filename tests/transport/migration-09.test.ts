// Connections of 0.9 that move from shard to shard between their requests, which come in any pieces: every send is answered in its
// turn with the place of its messages, and each message is there once.
import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../../src/platform/random.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { sendMessagesReplyCodec09 } from "../../src/protocol/v09/batch-record.ts";
import { codecsOf09 } from "../../src/protocol/v09/codecs.ts";
import { headerBytes, operationOf } from "../../src/protocol/v09/headers.ts";
import { Operation, operationFor } from "../../src/protocol/v09/operations.ts";
import { requireAnswer } from "../fuzz/answers-09.ts";
import { requestFrame } from "../protocol/v09/support.ts";
import { buildRecord } from "../storage/kernel/records.ts";
import { Client09, polled09, sendBody09 } from "../support/client-09.ts";
import { useServers } from "../support/server.ts";
import { freshMetrics } from "./fresh-metrics.ts";

const servers = useServers();
const stream = { kind: "string", value: "orders" } as const;
const topic = { kind: "string", value: "eu" } as const;
const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;
const partitionsCount = 4;
const clientsCount = 12;
const roundsCount = 20;
const sendsPerRound = 8;
const sendOperation = operationFor("sendMessages");

function send(partitionId: number, text: string, request: number, random: Random): Uint8Array {
  const payload = new Uint8Array(20 + (random.u32() % 3000));
  payload.set(new TextEncoder().encode(text.padEnd(20)));
  const message = { id: BigInt(request), payload, userHeaders: new Uint8Array(0), originTimestamp: 1n };
  const body = sendBody09(stream, topic, partitionId, 1, buildRecord([message]));
  const requestChecksum = random.u32() % 2 === 0 ? 0n : Bun.hash.xxHash3(body);
  return requestFrame({ operation: sendOperation, session: 1n, request: BigInt(request), requestChecksum, body });
}

function read(code: number, body: Uint8Array, request: number): Uint8Array {
  return requestFrame({ operation: Operation.nonReplicated, code, session: 1n, request: BigInt(request), body });
}

function poll(partitionId: number, request: number): Uint8Array {
  const strategy = { kind: "last", value: 0n } as const;
  const asked = { consumer, stream, topic, partitionId, strategy, count: 3, autoCommit: false };
  return read(CommandCode.pollMessages, encode(codecsOf09("pollMessages").request, asked), request);
}

/** A run of sends to one partition, and reads behind them. */
async function runRound(client: Client09, name: string, round: number, random: Random): Promise<void> {
  const partitionId = random.u32() % partitionsCount;
  const sends = Array.from({ length: sendsPerRound }, (_, index) =>
    send(partitionId, `${name} ${round} ${index}`, round * 100 + index, random),
  );
  const ping = read(CommandCode.ping, new Uint8Array(0), round * 100 + 98);
  // A connection moves when nothing is left to do: behind the last send.
  const requests = [...sends.slice(0, 3), poll(partitionId, round * 100 + 99), ping, ...sends.slice(3)];
  const bytes = Buffer.concat(requests);
  for (let start = 0; start < bytes.byteLength; ) {
    const end = start + 1 + (random.u32() % 9000);
    client.wire.send(bytes.subarray(start, end));
    if (random.u32() % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    start = end;
  }
  let lastOffset = -1n;
  for (const request of requests) {
    const answer = await client.wire.receive();
    if (answer === "closed") throw new Error(`${name} was closed in round ${round}`);
    expect(requireAnswer(request, answer)).toBe(0);
    const body = answer.subarray(headerBytes);
    if (operationOf(request) === sendOperation) {
      const confirmed = decode(sendMessagesReplyCodec09, body)[0]!;
      expect(confirmed.partitionId).toBe(partitionId);
      expect(confirmed.baseOffset).toBeGreaterThan(lastOffset);
      lastOffset = confirmed.baseOffset;
    } else if (body.byteLength > 0) {
      expect(polled09(body).messages.at(-1)!.offset).toBeGreaterThanOrEqual(lastOffset);
    }
  }
}

test("sends and polls of connections that move", async () => {
  const server = await servers.start({ shards: 2 });
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount });
  const names = Array.from({ length: clientsCount }, (_, index) => `client ${index}`);
  await Promise.all(
    names.map(async (name, index) => {
      const random = seededRandom(index + 1);
      const client = await Client09.login(server.port);
      for (let round = 0; round < roundsCount; round++) await runRound(client, name, round, random);
      client.close();
    }),
  );
  const reader = await Client09.login(server.port);
  const seen: string[] = [];
  for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
    const { messages } = await reader.poll(stream, topic, partitionId, { kind: "offset", value: 0n }, 10_000);
    seen.push(...messages.map(({ payload }) => new TextDecoder().decode(payload.subarray(0, 20)).trim()));
  }
  const sent = names.flatMap((name) =>
    Array.from({ length: roundsCount * sendsPerRound }, (_, index) => {
      return `${name} ${Math.floor(index / sendsPerRound)} ${index % sendsPerRound}`;
    }),
  );
  expect(seen.toSorted()).toEqual(sent.toSorted());
  const moved = [...(await freshMetrics(server)).matchAll(/^whippet_moved_connections_total\{.*\} (\d+)$/gm)];
  expect(moved.reduce((sum, [, count]) => sum + Number(count), 0)).toBeGreaterThan(clientsCount);
  expect(server.log).not.toContain("ERROR");
  reader.close();
  root.close();
}, 120_000);
