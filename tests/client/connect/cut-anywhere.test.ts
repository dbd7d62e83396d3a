// Producers and consumers whose connections are cut after every number of bytes, in both directions: within logins, requests and
// replies. WHIPPET_EVERY_BYTE=1 does it to consumers at every byte, too, which takes minutes.
import { expect, setDefaultTimeout, test } from "bun:test";
import { connect, IggyError, SendError, type SendReceipt, text } from "../../../src/client/index.bun.ts";
import { type Cut, CuttingProxy, type Direction, type Passed } from "../../support/cutting-proxy.ts";
import { type TestServer, useServers } from "../../support/server.ts";

const servers = useServers();
setDefaultTimeout(240_000);
/** A consumer's connections are cut at one byte in so many. */
const stride = process.env.WHIPPET_EVERY_BYTE === "1" ? 1 : 23;
const directions = ["to the server", "to the client"] as const;

/** After 1, 1 + `step`, … bytes, up to `most` in each direction. */
function cutsUpTo(most: Readonly<Record<Direction, number>>, step: number): Cut[] {
  return directions.flatMap((direction) => {
    const count = Math.ceil(most[direction] / step);
    return Array.from({ length: count }, (_, index) => ({ direction, bytes: 1 + index * step }));
  });
}

/** A proxy that leaves the first `spared` connections alone, then makes one cut in each. */
function cutting(port: number, spared: number, cuts: readonly Cut[]): CuttingProxy {
  return new CuttingProxy(
    () => port,
    (index) => cuts[index - spared],
  );
}

/** The connections that were cut, all where they should be. */
function cutsOf({ passed }: CuttingProxy, cuts: readonly Cut[]): readonly Passed[] {
  const done = passed.filter(({ cut }) => cut !== undefined);
  expect(done.map(({ cut }) => cut!)).toEqual([...cuts]);
  for (const { cut, bytes } of done) expect(bytes[cut!.direction]).toBe(cut!.bytes);
  return done;
}

const deduplication = { IGGY_SYSTEM_MESSAGE_DEDUPLICATION_ENABLED: "true" };
const reconnect = { minMs: 1, maxMs: 2 };

type Transport = "tcp" | "websocket";
const urlOf = (transport: Transport, port: number) =>
  `iggy+${transport === "tcp" ? "tcp" : "ws"}://iggy:iggy@127.0.0.1:${port}`;

/** What a connection of a producer takes: a login and two sends. A WebSocket has a handshake before that. */
const producerBytes: Readonly<Record<Transport, Readonly<Record<Direction, number>>>> = {
  tcp: { "to the server": 360, "to the client": 120 },
  websocket: { "to the server": 560, "to the client": 260 },
};

type Outcome = SendReceipt | SendError;

/** Sends values that count up, five at a time, until all cuts are made. Returns what became of each. */
async function sendThroughCuts(
  server: TestServer,
  transport: Transport,
  onUncertain: "repeat" | "reject",
): Promise<{ readonly outcomes: readonly Outcome[]; readonly stored: readonly number[]; readonly repeated: number }> {
  const cuts = cutsUpTo(producerBytes[transport], 1);
  const proxy = cutting(server.portOf(transport), 1, cuts);
  await using client = await connect(urlOf(transport, proxy.port), { reconnect, heartbeatMs: 0 });
  const topic = client.topic("shop", `${transport}-${onUncertain}`, text);
  await topic.ensure({ partitionsCount: 1 });
  const producer = topic.producer({ batchMessagesMax: 2, onUncertain });
  const outcomes: Promise<Outcome>[] = [];
  for (; proxy.passed.length <= cuts.length + 1; await producer.flush()) {
    for (let index = 0; index < 5; index++) {
      const sent = producer.send({ value: String(outcomes.length) });
      outcomes.push(sent.catch((error: SendError) => error));
    }
  }
  const done = cutsOf(proxy, cuts);
  // From within the login to behind a whole send and its reply.
  const upwards = done.filter(({ cut }) => cut?.direction === "to the server");
  expect(upwards[0]!.bytes["to the client"]).toBe(0);
  const settled = await Promise.all(outcomes);
  expect(producer.stats).toMatchObject({ bufferedBytes: 0, inFlight: 0 });
  const stored: number[] = [];
  await using direct = await connect(urlOf("tcp", server.port));
  for await (const { value } of direct.topic("shop", `${transport}-${onUncertain}`, text).reader({ follow: false }))
    stored.push(Number(value));
  const repeated = producer.stats.repeatedBatches;
  await client.close();
  proxy.stop();
  return { outcomes: settled, stored, repeated };
}

const countUp = (count: number) => Array.from({ length: count }, (_, value) => value);

test.each([
  "tcp",
  "websocket",
] as const)("a producer over %s, with deduplication: nothing acknowledged is missing, all in order, each stored once", async (transport) => {
  const server = await servers.start({ env: deduplication });
  const { outcomes, stored, repeated } = await sendThroughCuts(server, transport, "repeat");
  expect(outcomes.filter((outcome) => IggyError.is(outcome))).toEqual([]);
  expect(repeated).toBeGreaterThan(50);
  expect(stored).toEqual(countUp(outcomes.length));
  await server.stop();
});

test.each([
  "repeat",
  "reject",
] as const)("a producer without deduplication (%s): first ones in order, repeats only of what is said to be uncertain", async (onUncertain) => {
  const server = await servers.start();
  const { outcomes, stored, repeated } = await sendThroughCuts(server, "tcp", onUncertain);
  const copies = Map.groupBy(stored, (value) => value);
  const countOf = (value: number) => copies.get(value)?.length ?? 0;
  let [twice, failed] = [0, 0];
  for (const [value, outcome] of outcomes.entries()) {
    if (outcome instanceof SendError) {
      failed++;
      expect(outcome.isUncertain).toBe(true);
      expect(countOf(value)).toBeLessThanOrEqual(1);
    } else {
      expect(countOf(value)).toBeGreaterThanOrEqual(1);
      expect(countOf(value)).toBeLessThanOrEqual(outcome.attempts);
      twice += countOf(value) - 1;
    }
  }
  const firsts = [...copies.keys()];
  expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
  expect({ repeats: repeated > 0, twice: twice > 0, failures: failed > 0 }).toEqual(
    onUncertain === "repeat"
      ? { repeats: true, twice: true, failures: false }
      : { repeats: expect.any(Boolean), twice: false, failures: true },
  );
  await server.stop();
});

/** What a consumer's connection takes until it has read, committed and waits again. */
const consumerBytes: Readonly<Record<Direction, number>> = { "to the server": 900, "to the client": 600 };

test.each([
  ["a member of a group", { group: "billing", commit: "each" }],
  ["a consumer by name", { name: "billing", commit: "each" }],
] as const)("%s: every offset in order, and again only what was not committed", async (_, options) => {
  const server = await servers.start();
  const cuts = cutsUpTo(consumerBytes, stride);
  // The first connection is that of the client's commands. Between two that are cut there is one that gets as far as a delivery: a
  // consumer that never does gives up.
  const proxy = new CuttingProxy(
    () => server.port,
    (index) => (index % 2 === 1 ? cuts[(index - 1) / 2] : undefined),
  );
  await using producing = await connect(urlOf("tcp", server.port));
  await producing.topic("shop", "orders").ensure({ partitionsCount: 1 });
  await using client = await connect(urlOf("tcp", proxy.port), { reconnect, heartbeatMs: 0 });
  const orders = client.topic("shop", "orders", text);
  const consumer = orders.consumer(options);
  let committed = -1;
  void (async () => {
    for await (const event of consumer.events())
      if (event.kind === "committed") committed = Math.max(committed, event.offsets.get(0) ?? -1);
  })();
  const delivered: number[] = [];
  const wrong: unknown[] = [];
  let sent = 0;
  const reading = (async () => {
    for await (const { offset, value } of consumer) {
      if (value !== String(offset) || offset <= committed) wrong.push({ offset, value, committed });
      delivered.push(offset);
    }
  })().catch((error: unknown) => wrong.push(error));
  let [seenLinks, seenDelivered] = [0, 0];
  while (proxy.passed.length <= 2 * cuts.length + 1 && wrong.length === 0) {
    const linksCount = proxy.passed.length;
    if (linksCount !== seenLinks) [seenLinks, seenDelivered] = [linksCount, delivered.length];
    if (linksCount % 2 === 1 && linksCount > 1 && delivered.length > seenDelivered + 1) proxy.cutLast();
    // Always something to read, and to commit, so that every connection gets as far as it may.
    if (sent - delivered.length < 3) await producing.topic("shop", "orders", text).send({ value: String(sent++) });
    else await Bun.sleep(1);
  }
  while (new Set(delivered).size < sent && wrong.length === 0) await Bun.sleep(5);
  expect(wrong).toEqual([]);
  await client.close();
  await reading;
  cutsOf(proxy, cuts);
  expect([...new Set(delivered)]).toEqual(countUp(sent));
  // One message is in hand at a time, so that at most one comes again for each connection.
  expect(delivered.length - sent).toBeLessThanOrEqual(2 * cuts.length + 1);
  proxy.stop();
  await server.stop();
});
