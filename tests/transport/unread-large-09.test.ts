// Messages that are too large to be made in pieces cost their reader's share of memory only while its reply begins: 40 clients of
// 0.9 that ask for them and read nothing leave the server as it was.
import { expect, test } from "bun:test";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { codecsOf09 } from "../../src/protocol/v09/codecs.ts";
import { growsLessThan, residentBytes } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { readRequest09, UnreadClient09 } from "./unread-client-09.ts";

const servers = useServers();
const mebibyte = 1024 * 1024;
const clientsCount = 40;
const watchMs = 3000;
const stream = { kind: "string", value: "orders" } as const;
const topic = { kind: "string", value: "eu" } as const;

test.each([
  { payloadBytes: 60_000_000, messagesCount: 1 },
  { payloadBytes: 2_500_000, messagesCount: 24 },
])("%j", async ({ payloadBytes, messagesCount }) => {
  const server = await servers.start();
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 1 });
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  for (let index = 0; index < messagesCount; index++) {
    const messages = [{ payload: new Uint8Array(payloadBytes).fill(index) }];
    await root.sendMessages({ stream: "orders", topic: "eu", partitioning, messages });
  }
  root.close();
  const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;
  const strategy = { kind: "first", value: 0n } as const;
  const asked = { consumer, stream, topic, partitionId: 0, strategy, count: messagesCount, autoCommit: false };
  const poll = readRequest09(CommandCode.pollMessages, encode(codecsOf09("pollMessages").request, asked));
  const place = { host: server.host, port: server.port };
  const clients: UnreadClient09[] = [];
  for (let index = 0; index < clientsCount; index++) clients.push(await UnreadClient09.connect(place, {}));
  const beforeBytes = residentBytes(server.pid);
  let peakBytes = beforeBytes;
  for (const client of clients) client.write(poll);
  const endMs = performance.now() + watchMs;
  while (performance.now() < endMs) {
    await Bun.sleep(5);
    peakBytes = Math.max(peakBytes, residentBytes(server.pid));
  }
  // One message at a time, and its record; the pages of one before may leave a moment later, on a busy machine.
  expect((peakBytes - beforeBytes) / mebibyte).toBeLessThan(48 + (3 * payloadBytes) / mebibyte);
  await growsLessThan(32 * mebibyte, () => residentBytes(server.pid), beforeBytes);
  expect(await clients.at(-1)!.readReply()).toBeGreaterThan(payloadBytes * messagesCount);
  for (const client of clients) client.close();
}, 120_000);
