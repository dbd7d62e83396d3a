// A producer whose connections are cut after every number of bytes, in both directions: within logins, requests and replies.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Socket } from "bun";
import { connect, text } from "../../../src/client/index.bun.ts";
import { useServers } from "../../support/server.ts";

const servers = useServers();
setDefaultTimeout(240_000);

type Direction = "to the server" | "to the client";
/** Bytes that a connection lets through before it ends. */
type Cut = { readonly direction: Direction; readonly bytes: number };
type Link = { other: Socket<Link> | undefined; waiting: Uint8Array[]; direction: Direction; cut: Cut | undefined };

/** Leads to `port`. The first connection is left alone; each later one is cut as the next of `cuts` says, then none. */
function startProxy(port: number, cuts: readonly Cut[]) {
  const rest = [...cuts];
  let opened = 0;
  let passed = 0;
  const end = (socket: Socket<Link>) => {
    socket.terminate();
    socket.data.other?.terminate();
  };
  const forward = (socket: Socket<Link>, chunk: Uint8Array) => {
    const { cut, direction, other, waiting } = socket.data;
    let bytes = chunk;
    let isCut = false;
    if (cut?.direction === direction) {
      // Counted on the side that the cut is about.
      isCut = passed + chunk.length >= cut.bytes;
      bytes = chunk.subarray(0, Math.max(0, cut.bytes - passed));
      passed += bytes.length;
    }
    if (other === undefined) waiting.push(bytes.slice());
    else other.write(bytes);
    other?.flush();
    if (isCut) end(socket);
  };
  const listener = Bun.listen<Link>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(client) {
        const cut = opened++ === 0 ? undefined : rest.shift();
        passed = 0;
        client.data = { other: undefined, waiting: [], direction: "to the server", cut };
        void Bun.connect<Link>({
          hostname: "127.0.0.1",
          port,
          data: { other: client, waiting: [], direction: "to the client", cut },
          socket: {
            open(server) {
              client.data.other = server;
              for (const bytes of client.data.waiting.splice(0)) server.write(bytes);
              server.flush();
            },
            data: (server, chunk) => forward(server, chunk),
            close: () => void client.end(),
            error: () => void client.end(),
          },
        }).catch(() => client.end());
      },
      data: (client, chunk) => forward(client, chunk),
      close: (client) => void client.data.other?.end(),
      error: (client) => void client.data.other?.end(),
    },
  });
  return { port: listener.port, restOf: () => rest.length, stop: () => listener.stop(true) };
}

test("nothing that was acknowledged is missing, all in order; with deduplication each is stored once", async () => {
  const server = await servers.start({ env: { IGGY_SYSTEM_MESSAGE_DEDUPLICATION_ENABLED: "true" } });
  // More than a login, the question for the partitions and a send have together, and more than their replies.
  const upwards = Array.from({ length: 330 }, (_, bytes): Cut => ({ direction: "to the server", bytes: bytes + 1 }));
  const downwards = Array.from({ length: 120 }, (_, bytes): Cut => ({ direction: "to the client", bytes: bytes + 1 }));
  const proxy = startProxy(server.port, [...upwards, ...downwards]);
  await using client = await connect(`iggy://iggy:iggy@127.0.0.1:${proxy.port}`, {
    reconnect: { minMs: 1, maxMs: 2 },
    heartbeatMs: 0,
  });
  const topic = client.topic("shop", "orders", text);
  await topic.ensure({ partitionsCount: 1 });
  const producer = topic.producer({ batchMessagesMax: 2 });
  let sent = 0;
  for (; proxy.restOf() > 0; await producer.flush()) {
    for (let index = 0; index < 5; index++) void producer.send({ value: String(sent++) });
  }
  expect(producer.stats.sentMessages).toBe(sent);
  expect(producer.stats.repeatedBatches).toBeGreaterThan(50);
  const stored: number[] = [];
  for await (const { value } of topic.reader({ follow: false })) stored.push(Number(value));
  expect(stored).toEqual(Array.from({ length: sent }, (_, value) => value));
  await client.close();
  proxy.stop();
});
