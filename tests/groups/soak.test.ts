// Fifty members join, leave, crash and commit at random, while producers send to all partitions. A member polls without
// auto-commit, processes, then commits: whatever happens in between, no acknowledged message may be left out, and every
// partition belongs to exactly one member. WHIPPET_SOAK_SECONDS makes it longer, WHIPPET_SOAK_SEED repeats the choices of a
// run (not its timing).
import { expect, test } from "bun:test";
import { type Client, ConnectionLostError } from "../../src/client/index.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { useServers } from "../support/server.ts";
import { Ledger } from "./soak-ledger.ts";
import { GroupServer, type GroupTopic, shardCountsHere } from "./support.ts";

const partitionsCount = 20;
const membersCount = 50;
const producersCount = 4;
const soakMs = Number(process.env.WHIPPET_SOAK_SECONDS ?? 12) * 1000;
const drainMs = 60_000;
const seed = Number(process.env.WHIPPET_SOAK_SEED ?? Date.now() % 1_000_000);

const servers = useServers();

interface Soak {
  readonly server: GroupServer;
  readonly topic: GroupTopic;
  readonly ledger: Ledger;
  readonly deadlineMs: number;
  readonly counts: Record<string, number>;
}

function count({ counts }: Soak, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

/** Without any of them the soak shows nothing. */
const wanted = ["joins", "leaves", "cuts", "commits", "refused commits"] as const;
/** How much longer than asked for a busy machine may take until it has seen all of them. */
const longestMs = 60_000;

function isOver({ deadlineMs, ledger, counts }: Soak): boolean {
  if (ledger.failures.length > 0) return true;
  const overdueMs = performance.now() - deadlineMs;
  return overdueMs > longestMs || (overdueMs > 0 && wanted.every((what) => what in counts));
}

/** Producer n of `producersCount` sends to every such partition, in batches, one at a time. */
async function produce(soak: Soak, first: number): Promise<void> {
  const { topic, ledger } = soak;
  const choices = new Simulation(seed + 1000 + first);
  const client = await soak.server.connect();
  const own = Array.from({ length: partitionsCount / producersCount }, (_, index) => first + index * producersCount);
  while (!isOver(soak)) {
    const partitionId = choices.pick(own);
    const start = ledger.acknowledged[partitionId]!;
    const messages = Array.from({ length: choices.between(1, 30) }, (_, index) => ({
      payload: new TextEncoder().encode(Ledger.textOf(partitionId, start + index)),
    }));
    const partitioning = { kind: "partition", partitionId } as const;
    await client.sendMessages({ stream: topic.stream, topic: topic.topic, partitioning, messages });
    ledger.acknowledged[partitionId] = start + messages.length;
    await Bun.sleep(choices.between(5, 40));
  }
}

/** Looks at the group on one shard after the other. */
async function watch(soak: Soak): Promise<void> {
  const all = Array.from({ length: partitionsCount }, (_, id) => id).join();
  for (let look = 0; !isOver(soak); look++) {
    const lists = await soak.topic.lists("billing", soak.server.observers[look % soak.server.shards]);
    const given = lists
      .flat()
      .sort((a, b) => a - b)
      .join();
    if (given !== (lists.length === 0 ? "" : all))
      soak.ledger.fail(`the partitions are given out as ${lists.join(" | ")}`);
    count(soak, "looks");
    await Bun.sleep(10);
  }
}

/** Stores an offset; false if the partition is not this member's any more. */
async function commit(soak: Soak, client: Client, offset: number, partition: { partitionId?: number }) {
  try {
    await soak.topic.store(client, offset, partition);
    count(soak, "commits");
  } catch (error) {
    if (!(error instanceof IggyError) || error.errorName !== "NotResolvedConsumer") throw error;
    count(soak, "refused commits");
  }
}

/** One poll and what follows from it. False: the connection is cut. */
async function work(soak: Soak, who: string, client: Client, choices: Simulation): Promise<boolean> {
  const { topic, ledger } = soak;
  const named = choices.chance(10) ? { partitionId: choices.between(0, partitionsCount - 1) } : {};
  const polled = await topic.poll(client, { ...named, count: choices.between(1, 60) });
  const { partitionId, messages } = polled;
  if (messages.length === 0) {
    await Bun.sleep(choices.between(1, 20));
    return true;
  }
  ledger.given(who, polled);
  if (choices.chance(20)) await Bun.sleep(choices.between(0, 20));
  if (choices.chance(1)) await Bun.sleep(choices.between(300, 900)); // too slow: the partition may be gone meanwhile
  if (choices.chance(2)) return false;
  // Now and then only some of them.
  const done = messages.slice(0, choices.chance(20) ? choices.between(1, messages.length) : messages.length);
  ledger.process(partitionId, done);
  if (choices.chance(2)) return false;
  if (choices.chance(4)) return true; // no commit: it gets them again
  const stored = commit(soak, client, Number(done.at(-1)!.offset), choices.chance(50) ? { partitionId } : {});
  if (choices.chance(2)) {
    client.close();
    await stored.catch(ignoreLoss);
    return false;
  }
  await stored;
  return true;
}

function ignoreLoss(error: unknown): void {
  if (!(error instanceof ConnectionLostError)) throw error;
}

/** One connection of a member, from its join to its end. */
async function live(soak: Soak, who: string, choices: Simulation): Promise<void> {
  const { server, topic } = soak;
  const client = choices.chance(50) ? await server.connect() : await server.connectAnywhere();
  try {
    await topic.join(client);
    count(soak, "joins");
    for (let rounds = choices.between(1, 150); rounds > 0 && !isOver(soak); rounds--) {
      if (!(await work(soak, who, client, choices))) {
        count(soak, "cuts");
        return;
      }
      if (choices.chance(1)) await server.move(client, choices.between(0, server.shards - 1), 16);
      if (choices.chance(2)) {
        await topic.leave(client);
        count(soak, "leaves");
        if (choices.chance(50)) return;
        await topic.join(client);
        count(soak, "joins");
      }
    }
  } finally {
    client.close();
  }
}

async function member(soak: Soak, number: number): Promise<void> {
  const choices = new Simulation(seed + number);
  for (let life = 0; !isOver(soak); life++) {
    try {
      await live(soak, `member ${number}.${life}`, choices);
    } catch (error) {
      soak.ledger.fail(`member ${number}.${life}: ${error instanceof Error ? error.stack : String(error)}`);
    }
    await Bun.sleep(choices.between(0, 100));
  }
}

/** Three new members process the rest, until the group has committed everything. */
async function drain({ topic, ledger }: Soak): Promise<void> {
  const members = [await topic.member(), await topic.member(), await topic.member()];
  const deadlineMs = performance.now() + drainMs;
  const finish = async (client: Client, number: number) => {
    // Each partition comes up often enough to be empty at the end.
    for (let quiet = 0; quiet < 3 * partitionsCount && performance.now() < deadlineMs; ) {
      const polled = await topic.poll(client, { count: 1000 });
      quiet = polled.messages.length === 0 ? quiet + 1 : 0;
      if (polled.messages.length === 0) continue;
      ledger.given(`drain ${number}`, polled);
      ledger.process(polled.partitionId, polled.messages);
      await topic.store(client, Number(polled.messages.at(-1)!.offset));
    }
  };
  await Promise.all(members.map(finish));
}

const shards = shardCountsHere.at(-1)!;

test(
  `no message is skipped while fifty members come and go, ${shards} shard(s)`,
  async () => {
    const env = {
      IGGY_CONSUMER_GROUP_REBALANCING_TIMEOUT: "400ms",
      IGGY_CONSUMER_GROUP_REBALANCING_CHECK_INTERVAL: "100ms",
    };
    const server = await GroupServer.start(await servers.start({ shards, env }), shards);
    const topic = await server.topic(partitionsCount);
    const ledger = new Ledger(partitionsCount);
    const soak: Soak = { server, topic, ledger, deadlineMs: performance.now() + soakMs, counts: {} };
    console.log(`WHIPPET_SOAK_SEED=${seed}, ${soakMs / 1000} s, ${shards} shard(s)`);
    await Promise.all([
      ...Array.from({ length: producersCount }, (_, first) => produce(soak, first)),
      ...Array.from({ length: membersCount }, (_, number) => member(soak, number)),
      watch(soak),
    ]);
    expect(ledger.failures).toEqual([]);
    await topic.given([]);

    await drain(soak);
    const sent = ledger.acknowledged.reduce((sum, one) => sum + one, 0);
    console.log({ sent, processed: ledger.processed, redelivered: ledger.redelivered, ...soak.counts });
    expect(ledger.failures).toEqual([]);
    expect(ledger.missing()).toEqual([]);
    const offsets = [];
    for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
      offsets.push(await topic.stored(server.admin, { partitionId }));
    }
    expect(offsets).toEqual(ledger.acknowledged.map((end) => end - 1));
    expect((await topic.lists()).map((list) => list.length).sort()).toEqual([1, 1, 18]);
    for (const what of wanted) expect(soak.counts[what]).toBeGreaterThan(0);
    await server.stop();
  },
  soakMs + longestMs + drainMs + 60_000,
);
