// The broker is killed again and again under a producer and three members that come and go: nothing that was acknowledged is missing,
// first ones come in order, from one member at a time; again comes only what was not committed, and twice is stored only what was sent
// again. WHIPPET_KILLS=50 kills it as often.
import { expect, test } from "bun:test";
import { connect, type Producer, text } from "../../../src/client/index.bun.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { useServers } from "../../support/server.ts";
import { Ledger, type Stored } from "./ledger.ts";
import { MemberSlot } from "./member-slot.ts";

const servers = useServers();
const killsCount = Number(process.env.WHIPPET_KILLS ?? 4);
const partitionsCount = 4;
/** Acknowledged and delivered between two kills, at least. */
const progressMin = 100;

/** Sends values that count up in each partition until told to stop. */
class Sender {
  readonly #producer: Producer<string>;
  readonly #ledger: Ledger;
  #isStopping = false;
  readonly done: Promise<void>;

  constructor(producer: Producer<string>, ledger: Ledger) {
    this.#producer = producer;
    this.#ledger = ledger;
    this.done = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.done;
  }

  async #run(): Promise<void> {
    const { acknowledged, wrong } = this.#ledger;
    for (let number = 0; !this.#isStopping; number++) {
      await this.#producer.ready;
      const partitionId = number % partitionsCount;
      const value = `${partitionId}/${number}`;
      this.#producer.send({ value, partitionId }).then(
        (receipt) => void acknowledged.set(value, receipt),
        (error: unknown) => void wrong.push(`${value} was refused: ${error}`),
      );
      if (number % 4 === 0) await Bun.sleep(1);
    }
    await this.#producer.flush();
  }
}

test(`kill -9, ${killsCount} times, under a producer and three members that come and go`, async () => {
  const random = seededRandom(Number(process.env.WHIPPET_SEED ?? Date.now() % 2 ** 31));
  const below = (limit: number) => random.u32() % limit;
  const server = await servers.start({ shards: 2 });
  const { port } = server;
  const env = { IGGY_TCP_ADDRESS: `127.0.0.1:${port}` };
  const ledger = new Ledger();
  await using client = await connect(`iggy://iggy:iggy@127.0.0.1:${port}`, { reconnect: { minMs: 5, maxMs: 100 } });
  const topic = client.topic("shop", "orders", text);
  await topic.ensure({ partitionsCount });
  const producer = topic.producer({ batchMessagesMax: 50 });
  const sender = new Sender(producer, ledger);
  const slots = ["ana", "ben", "cleo"].map(
    (name) => new MemberSlot({ name, port: () => port, group: "billing", ledger, below }),
  );

  for (let kill = 0; kill < killsCount; kill++) {
    const [acknowledged, deliveries] = [ledger.acknowledged.size, ledger.deliveriesCount];
    const hasWorked = () =>
      ledger.acknowledged.size - acknowledged >= progressMin && ledger.deliveriesCount - deliveries >= progressMin;
    while (!hasWorked() && ledger.wrong.length === 0) await Bun.sleep(5);
    await Bun.sleep(below(700));
    await server.kill();
    await server.restart({ env });
  }
  await sender.stop();
  expect(ledger.wrong).toEqual([]);

  const stored: Stored[] = [];
  for await (const { partitionId, offset, value } of topic.reader({ follow: false }))
    stored.push({ partitionId, offset, value });
  while (!ledger.isComplete(stored) && ledger.wrong.length === 0) await Bun.sleep(20);
  await Promise.all(slots.map((slot) => slot.stop()));
  expect(ledger.check(stored)).toEqual([]);
  expect(ledger.acknowledged.size).toBeGreaterThanOrEqual(killsCount * progressMin);
  const gone = slots.flatMap((slot) => [...slot.gone]).map(([end, count]) => `${end} ${count}`);
  const { repeatedBatches } = producer.stats;
  console.log(
    `${killsCount} kills: ${ledger.acknowledged.size} acknowledged, ${stored.length} stored, ${repeatedBatches} batches repeated, ` +
      `${ledger.deliveriesCount} deliveries, ${ledger.repeatsCount} of them again, ${ledger.unawareMsMax.toFixed(0)} ms at most of what had ` +
      `come before it came to another member; members gone by ${gone.join(", ")}`,
  );
  await client.close();
  await server.stop();
}, 1_200_000);
