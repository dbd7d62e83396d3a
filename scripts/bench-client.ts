// How fast the client is beside the raw protocol: `sendAll` and `run` as parts of what batches and polls do that are made once and
// sent again and again, and single sends that nobody waits for. One server, one connection each, everything in turns in one run.

import { parseArgs } from "node:util";
import { topicName } from "../src/bench/batch.ts";
import { BinaryLink } from "../src/bench/binary-link.ts";
import { type Client, connect } from "../src/client/index.bun.ts";
import { startBenchServer } from "./bench-server.ts";

const usage = `Compares the client with raw batches and polls.

Usage: npm run bench:client -- [options]
  --messages N   messages of 1,000 B in a round (100000)
  --rounds N     rounds; the figures are medians (5)
`;

const payloadBytes = 1_000;
const smallBytes = 100;
const batchMessages = 1_000;
/** Batches that a producer of the client has under way. */
const inFlight = 4;
/** Until the compiler has seen enough of it. */
const warmUpRounds = 3;

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "100000" },
    rounds: { type: "string", default: "5" },
    help: { type: "boolean", default: false },
  },
});

/** Messages each second, and the CPU time of this process for one, ns. */
type Figure = { readonly rate: number; readonly cpuNs: number };
type Figures = Record<"raw sends" | "raw sends, 4 at once" | "sendAll" | "raw polls" | "run" | "single sends", Figure>;

async function figureOf(messages: number, work: () => Promise<void>): Promise<Figure> {
  const startMs = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  const rate = (messages / (performance.now() - startMs)) * 1_000;
  return { rate, cpuNs: ((user + system) / messages) * 1_000 };
}

async function rawSends(link: BinaryLink, streamName: string, batches: number, atOnce: number): Promise<void> {
  let left = batches;
  const shape = {
    streamName,
    messagesPerBatch: batchMessages,
    messageSizeBytes: payloadBytes,
    placement: "pinned",
  } as const;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const sender = link.sender(shape);
      while (left-- > 0) {
        sender.prepare();
        await sender.send();
      }
    }),
  );
}

async function rawPolls(link: BinaryLink, streamName: string, batches: number): Promise<void> {
  const poller = link.poller(streamName, 1);
  for (let batch = 0; batch < batches; batch++) await poller.poll(batch * batchMessages, batchMessages);
}

function* messagesOf(count: number, value: Uint8Array) {
  for (let index = 0; index < count; index++) yield { value };
}

async function singleSends(client: Client, count: number): Promise<void> {
  const producer = client.topic("small", topicName).producer();
  const value = new Uint8Array(smallBytes);
  let failed: unknown;
  for (let index = 0; index < count; index++) {
    await producer.ready;
    producer.send({ value }).catch((error: unknown) => {
      failed ??= error;
    });
  }
  await producer.close();
  if (failed !== undefined) throw failed;
}

async function run(client: Client, count: number): Promise<void> {
  const consumer = client.topic("client", topicName).consumer({ name: `reader-${performance.now()}` });
  let handled = 0;
  await consumer.run(() => {
    if (++handled === count) void consumer.close();
  });
}

async function round(client: Client, link: BinaryLink, messages: number): Promise<Figures> {
  const batches = Math.ceil(messages / batchMessages);
  for (const stream of ["raw", "raw4", "client", "small"]) {
    await client.createStream(stream);
    await client.createTopic(stream, { name: topicName, partitionsCount: 1 });
  }
  const producer = client.topic("client", topicName).producer();
  const value = new Uint8Array(payloadBytes).fill(7);
  const figures = {
    "raw sends": await figureOf(messages, () => rawSends(link, "raw", batches, 1)),
    "raw sends, 4 at once": await figureOf(messages, () => rawSends(link, "raw4", batches, inFlight)),
    sendAll: await figureOf(messages, async () => void (await producer.sendAll(messagesOf(messages, value)))),
    "single sends": await figureOf(messages, () => singleSends(client, messages)),
    "raw polls": await figureOf(messages, () => rawPolls(link, "raw", batches)),
    run: await figureOf(messages, () => run(client, messages)),
  };
  await producer.close();
  for (const stream of ["raw", "raw4", "client", "small"]) await client.deleteStream(stream);
  return figures;
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  if (values.help) return console.log(usage);
  const [messages, rounds] = [Number(values.messages), Number(values.rounds)];
  if (!(Number.isSafeInteger(messages) && messages > 0 && Number.isSafeInteger(rounds) && rounds > 0))
    throw new Error("--messages and --rounds are whole numbers above 0");
  const server = await startBenchServer(false, 1, { env: { IGGY_QUIC_ENABLED: "false" } });
  try {
    const place = { host: "127.0.0.1", port: server.portOf("tcp"), username: "iggy", password: "iggy" };
    await using client = await connect(`iggy://iggy:iggy@127.0.0.1:${place.port}`);
    const link = await BinaryLink.open({ transport: "tcp", tls: {}, ...place });
    const found: Figures[] = [];
    for (let index = 0; index < warmUpRounds + rounds; index++) {
      const figures = await round(client, link, messages);
      if (index >= warmUpRounds) found.push(figures);
    }
    link.close();
    const figure = (name: keyof Figures, what: keyof Figure) => medianOf(found.map((figures) => figures[name][what]));
    const part = (name: keyof Figures, of: keyof Figures) =>
      medianOf(found.map((figures) => figures[name].rate / figures[of].rate)).toFixed(2);
    for (const name of Object.keys(found[0]!) as (keyof Figures)[]) {
      const perSecond = `${(figure(name, "rate") / 1_000).toFixed(0).padStart(6)} k/s`;
      console.log(name.padEnd(22), perSecond, `${figure(name, "cpuNs").toFixed(0).padStart(6)} ns of CPU a message`);
    }
    console.log(`sendAll / raw sends            ${part("sendAll", "raw sends")}`);
    console.log(`sendAll / raw sends, 4 at once ${part("sendAll", "raw sends, 4 at once")}`);
    console.log(`run / raw polls                ${part("run", "raw polls")}`);
  } finally {
    await server.stop();
  }
}

await main();
