// Strangers who fill every place that a broker with few descriptors has, over each transport, and others that guess passwords:
// a producer at level `sync` goes on, memory stays, and afterwards all is as it was. With 10,000 of them, and with times:
// scripts/standing/idle-flood.ts.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, ConnectionError } from "../../src/client/index.bun.ts";
import { encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { descriptorCount, eventually, growsLessThan, residentBytes } from "../support/process-facts.ts";
import { type TestServer, type Transport, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";
import { QuicClient } from "../transport/quic-client.ts";
import { IdleFlood } from "./idle-flood.ts";

const servers = useServers();
setDefaultTimeout(300_000);

const descriptorsMax = 400;
const strangersCount = 800;
/** Each of them takes its handshake. */
const quicStrangersCount = 150;
/** More than get their turn at once: a network has one guess a second, so that the last of them is answered seconds later. */
const guessersCount = 8;
const grownBytesMax = 64 * 1024 * 1024;
/** Files of the partition that was written to, and what was opened for the first time. */
const keptDescriptorsMax = 24;

interface Strangers {
  readonly leave: () => void | Promise<void>;
}

async function fill(server: TestServer, transport: Transport): Promise<Strangers> {
  const port = server.portOf(transport);
  if (transport === "quic") {
    const client = new QuicClient(servers.makeDirectory());
    const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
    for (let index = 0; index < quicStrangersCount; index++) await client.open(String(index), { port, certPem });
    return { leave: () => client.stop() };
  }
  const flood = new IdleFlood({ transport, host: server.host, port, perSecond: 500, addressesCount: 100 });
  await flood.open(strangersCount);
  return { leave: () => flood.close() };
}

/** Two others may come before the check of its password is done, each of which takes the place of one without a login on its shard. */
const triesMax = 3;

/** A client as every SDK is one: sent away without an answer, it comes again. */
async function comeIn(server: TestServer, tries = 1): Promise<Client> {
  try {
    return await server.connect();
  } catch (error) {
    if (!(error instanceof ConnectionError) || tries === triesMax) throw error;
    return await comeIn(server, tries + 1);
  }
}

/** Guesses, one after the other, until it is closed. */
async function guess(server: TestServer, localAddress: string, isOver: () => boolean): Promise<void> {
  const request = { username: "iggy", password: "a guess", version: undefined, context: undefined };
  const payload = encode(commandCodecs.loginUser.request, request);
  while (!isOver()) {
    const client = await WireClient.connect(server, "sdk", { localAddress }).catch(() => undefined);
    while (client !== undefined && !isOver()) {
      client.write(client.frame(CommandCode.loginUser, payload));
      if ((await client.receive().catch(() => undefined)) === undefined) break;
      await Bun.sleep(50);
    }
    client?.close();
  }
}

test.each(["tcp", "websocket", "http", "quic"] as const)("over %s", async (transport) => {
  const server = await servers.start({
    shards: 2,
    launcher: ["sh", "-c", `ulimit -n ${descriptorsMax}; exec "$@"`, "sh"],
    env: { IGGY_QUIC_ENABLED: String(transport === "quic"), IGGY_SYSTEM_PARTITION_ACKNOWLEDGE: "sync" },
  });
  const root = await server.connect();
  await root.createStream("s");
  await root.createTopic("s", { name: "t", partitionsCount: 1 });
  let sentCount = 0;
  const send = async () => {
    await root.sendMessages({
      ...{ stream: "s", topic: "t", messages: [{ payload: new Uint8Array(100) }] },
      partitioning: { kind: "partition", partitionId: 0 },
    });
    sentCount++;
  };
  for (let warm = 0; warm < 100; warm++) await send();
  const bytesBefore = residentBytes(server.pid);
  const descriptorsBefore = descriptorCount(server.pid);
  let isOver = false;
  const producing = (async () => {
    while (!isOver) await send();
  })();
  const guessing = Array.from({ length: guessersCount }, (_, index) =>
    guess(server, `127.0.9.${1 + index}`, () => isOver),
  );
  const strangers = await fill(server, transport);
  expect(descriptorCount(server.pid)).toBeLessThan(descriptorsMax);
  // While the last of them are there: who can log in comes in, and messages go on.
  const late = await comeIn(server);
  const sentBefore = sentCount;
  await eventually(
    "messages go on",
    () => sentCount,
    (count) => count > sentBefore + 20,
  );
  await growsLessThan(grownBytesMax, () => residentBytes(server.pid), bytesBefore);
  isOver = true;
  await Promise.all([producing, ...guessing]);
  await strangers.leave();
  await late.close();
  expect((await root.getTopic("s", "t"))?.messagesCount).toBe(BigInt(sentCount));
  await eventually(
    "descriptors are free again",
    () => descriptorCount(server.pid),
    (count) => count <= descriptorsBefore + keptDescriptorsMax,
  );
  await eventually(
    "clients have gone",
    async () => (await root.getClients()).length,
    (count) => count === 1,
  );
  await root.close();
  await server.stop();
});
