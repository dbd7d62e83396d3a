// Members of both protocols in one group come, go, sync, poll and commit at random, over two shards whose messages to each
// other are held back now and then (spec P9 9.5). Whatever happens: a message is given to members in order and left out by
// none; and where nobody leaves and no time runs out, no message is given to two members. The choices are those of the seed;
// the two shards talk over real channels, so the timing is the machine's.
import { expect } from "bun:test";
import type { Simulation } from "../../src/platform/simulated/simulation.ts";
import type { PolledMessages } from "../../src/protocol/message/poll-messages.ts";
import { partitionKeyOf } from "../../src/shard/index.ts";
import type { ShardRequestKind } from "../../src/shard/messages.ts";
import { append } from "../shard/append.ts";
import { startShards, type TestShards } from "../shard/setup.ts";
import { type Trace, testSeeds } from "../simulation/seeds.ts";
import { codeOf } from "../support/error-code.ts";
import { Deliveries } from "./deliveries.ts";
import { Member, makeGroup, stream, topic } from "./members.ts";

interface World {
  readonly running: TestShards;
  readonly choices: Simulation;
  readonly trace: Trace;
  readonly deliveries: Deliveries;
  /** Members leave, are cut, lose partitions by the time-out; partitions are added. */
  readonly isRough: boolean;
  nextClientId: number;
  partitionsCount: number;
}

const steps = 60;
const membersMax = 6;
const partitionsMax = 6;

/** Some turns of the event loop. */
async function pause({ choices }: World, turnsMax = 6): Promise<void> {
  for (let turns = choices.between(0, turnsMax); turns > 0; turns--) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function produce(world: World): Promise<void> {
  const { choices, running, deliveries } = world;
  for (let step = 0; step < steps; step++) {
    const partitionId = choices.between(0, world.partitionsCount - 1);
    const count = choices.between(1, 4);
    await append(running.shards[choices.between(0, 1)]!, partitionKeyOf(0, 0, partitionId), new Array(count).fill(8));
    deliveries.sent(partitionId, count);
    await pause(world);
  }
}

/** What shards say to each other arrives late now and then, kind by kind. */
async function disturb(world: World): Promise<void> {
  const { choices, running } = world;
  const kinds: readonly ShardRequestKind[] = ["apply", "control", "read", "offset"];
  for (let step = 0; step < steps / 2; step++) {
    const shard = running.shards[choices.between(0, 1)]!;
    const letGo = shard.hold(choices.pick(kinds));
    await pause(world, 20);
    letGo();
    await pause(world);
    const request = { stream, topic, count: 1 };
    if (!world.isRough || !choices.chance(10)) continue;
    if (choices.chance(50)) {
      await running.shards[0].shard.control({ kind: "timeOutRevocations", timeoutMicros: 0 });
    } else if (world.partitionsCount < partitionsMax) {
      await running.shards[0].shard.control({ kind: "createPartitions", request });
      world.partitionsCount++;
    }
  }
}

/** One client from its join to its end. */
class Life {
  readonly #world: World;
  readonly #member: Member;
  readonly #name: string;
  readonly #isModern: boolean;
  /** What a member of 0.9 may poll as far as it knows, in turn. */
  #partitionIds: readonly number[] = [];
  #turn = 0;
  #generation = 0n;
  /** Last offsets that it was given and has not committed, by partition. */
  readonly #held = new Map<number, number>();

  constructor(world: World) {
    const { choices, running } = world;
    const clientId = world.nextClientId++;
    this.#world = world;
    this.#isModern = choices.chance(60);
    this.#member = new Member(running.shards[choices.between(0, 1)]!, this.#isModern ? "0.9" : "0.8", clientId);
    this.#name = `${this.#isModern ? "modern" : "old"} ${clientId}`;
  }

  async run(rounds: number): Promise<void> {
    const { choices, isRough } = this.#world;
    await this.#join();
    this.#note("joined");
    if (this.#isModern) await this.#sync();
    for (let round = 0; round < rounds; round++) {
      await pause(this.#world);
      const roll = choices.between(1, 100);
      if (roll <= 20) await this.#commitSome();
      else if (roll <= 27 && this.#isModern) await this.#sync();
      else if (roll <= 30 && isRough) return this.#leave(choices.chance(50));
      else await this.#poll();
    }
  }

  /** Half of the time some of what the shards have to say about it is late: others poll on meanwhile. */
  async #join(): Promise<void> {
    const { choices, running } = this.#world;
    const letGo = choices.chance(50) ? running.shards[0].hold("apply") : running.shards[1].hold("control");
    const joined = this.#member.join();
    if (choices.chance(50)) await pause(this.#world, 40);
    letGo();
    await joined;
  }

  /** Gives all back: commits what it holds. */
  async commitAll(): Promise<void> {
    for (const partitionId of [...this.#held.keys()]) await this.#commit(partitionId);
  }

  async #sync(): Promise<void> {
    const assignment = await this.#member.sync();
    if (assignment === undefined) throw new Error(`${this.#name} is no member any more`);
    const { generation, partitionIds } = assignment;
    if (generation < this.#generation) throw new Error(`${this.#name}: the generation went back to ${generation}`);
    if (generation > this.#generation) this.#turn = 0;
    this.#generation = generation;
    this.#partitionIds = partitionIds;
    this.#note(`knows ${partitionIds.join()} of generation ${generation}`);
  }

  async #poll(): Promise<void> {
    const { choices, partitionsCount, deliveries } = this.#world;
    let partitionId: number | undefined;
    if (this.#isModern) {
      if (this.#partitionIds.length === 0) return this.#sync();
      partitionId = this.#partitionIds[this.#turn++ % this.#partitionIds.length]!;
    } else if (choices.chance(20)) {
      partitionId = choices.between(0, partitionsCount - 1);
    }
    // A poll that commits less than the member holds would say that it is done with all of it.
    const autoCommit = this.#held.size === 0 && choices.chance(30);
    const polled = await this.#member.poll(partitionId, { autoCommit, count: choices.between(1, 5) });
    if (polled === "fenced") return this.#sync();
    if (polled.messages.length === 0) return;
    const offsets = polled.messages.map(({ offset }) => Number(offset));
    this.#note(`polled ${polled.partitionId}: ${offsets.join()}${autoCommit ? ", committed" : ""}`);
    deliveries.given(this.#name, polled.partitionId, offsets);
    if (!autoCommit) this.#hold(polled.partitionId, offsets.at(-1)!);
    if (!autoCommit && choices.chance(50)) await this.#commit(polled.partitionId);
  }

  /** It may have polled more of them before. */
  #hold(partitionId: number, offset: number): void {
    this.#held.set(partitionId, Math.max(offset, this.#held.get(partitionId) ?? 0));
  }

  async #commitSome(): Promise<void> {
    const held = [...this.#held.keys()];
    if (held.length > 0) await this.#commit(this.#world.choices.pick(held));
  }

  async #commit(partitionId: number): Promise<void> {
    const offset = this.#held.get(partitionId)!;
    this.#held.delete(partitionId);
    const code = await codeOf(this.#member.store(partitionId, offset));
    this.#note(`stored ${partitionId}: ${offset}, ${code}`);
    // Where partitions are taken away, somebody else is given the messages.
    const isRefusal = code === (this.#isModern ? 20 : 3022);
    if (code !== 0 && !(isRefusal && this.#world.isRough)) throw new Error(`${this.#name} was told ${code}`);
  }

  async #leave(isCut: boolean): Promise<void> {
    this.#note(isCut ? "was cut" : "leaves");
    const { shard } = this.#world.running.shards[0];
    if (isCut) await shard.control({ kind: "clientGone", clientId: this.#member.session.clientId });
    else await this.#member.leave();
    this.#held.clear();
  }

  #note(what: string): void {
    this.#world.trace.add(`${this.#name} ${what}`);
  }
}

/** Members one after the other, or one for good. */
async function live(world: World): Promise<void> {
  const { choices, isRough } = world;
  await pause(world, 200); // a promise is made when somebody joins
  for (let rounds = steps; rounds > 0; ) {
    const some = isRough ? choices.between(1, rounds) : rounds;
    const life = new Life(world);
    await life.run(some);
    await life.commitAll();
    rounds -= some;
  }
}

/** A member that comes last is given all that is left: what others did not commit, where they were cut. */
async function drain({ running, deliveries, partitionsCount, nextClientId }: World): Promise<void> {
  const { shard, state } = running.shards[0];
  for (const clientId of [...state.groupsByClient.keys()]) await shard.control({ kind: "clientGone", clientId });
  const member = await new Member(running.shards[1], "0.9", nextClientId).join();
  for (const partitionId of (await member.sync())!.partitionIds) {
    const polled = (await member.poll(partitionId, { count: 10_000, autoCommit: true })) as PolledMessages;
    deliveries.given(
      "last",
      partitionId,
      polled.messages.map(({ offset }) => Number(offset)),
    );
  }
  expect(deliveries.missing()).toEqual([]);
  expect((await member.sync())?.partitionIds).toHaveLength(partitionsCount);
}

for (const isRough of [false, true]) {
  const name = isRough ? "members that come and go" : "members that come and stay";
  testSeeds(name, 20, 10, async (choices, trace) => {
    const running = startShards();
    const partitionsCount = choices.between(2, partitionsMax);
    const deliveries = new Deliveries({ isExclusive: !isRough });
    const world: World = { running, choices, trace, deliveries, isRough, nextClientId: 1, partitionsCount };
    try {
      await makeGroup(running, partitionsCount);
      const lives = Array.from({ length: choices.between(2, membersMax) }, () => live(world));
      await Promise.all([produce(world), disturb(world), ...lives]);
      await drain(world);
    } finally {
      await running.close();
    }
  });
}
