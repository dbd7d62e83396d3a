// Consumers of a group through any schedule of joins, leaves, cuts, purges and retention, in simulated time over a simulated
// group: every offset is delivered at least once, by one member at a time, first occurrences in order.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ConsumerEngine } from "../../../src/client/consumer/consumer-engine.ts";
import type { ConsumerOptions } from "../../../src/client/consumer/options.ts";
import { type SimulatedConnection, type Source, sources } from "./simulated-connection.ts";
import { SimulatedTime } from "./simulated-time.ts";
import { SimulatedTopic } from "./simulated-topic.ts";

/** A member that was not told of a move delivers what it has until it finds out: two rounds, and the answers. */
const unawareMsMax = 2_600;

type Action =
  | { readonly kind: "join"; readonly handlerMs: number }
  | { readonly kind: "leave" | "crash" | "cut" | "break"; readonly which: number }
  | { readonly kind: "down"; readonly which: number; readonly ms: number }
  | { readonly kind: "append"; readonly partitionId: number; readonly count: number }
  | { readonly kind: "retain"; readonly partitionId: number; readonly keep: number }
  | { readonly kind: "purge" }
  /** For subscriptions, of each connection. */
  | { readonly kind: "room"; readonly subscriptionsMax: number }
  | { readonly kind: "addPartition" }
  | { readonly kind: "wait"; readonly ms: number };

interface Delivery {
  readonly name: string;
  readonly clientId: number;
  readonly member: number;
  readonly atMs: number;
}

class World {
  readonly time: SimulatedTime;
  readonly topic: SimulatedTopic;
  readonly members: {
    readonly consumer: ConsumerEngine<string>;
    readonly connection: SimulatedConnection;
    shouldBreak: boolean;
  }[] = [];
  readonly loops: Promise<void>[] = [];
  readonly delivered: Delivery[] = [];
  /** When each partition came to whom. */
  readonly moves: { readonly partitionId: number; readonly clientId: number | undefined; readonly atMs: number }[] = [];
  readonly failures: unknown[] = [];
  #number = 0;
  readonly #options: ConsumerOptions;
  readonly #source: Source | "any";
  readonly #membersMax: number;
  /** Names of messages that were removed before anybody was given them. */
  readonly removed = new Set<string>();
  readonly appended: string[] = [];

  /** Consumers by name come one after the other. */
  constructor(
    partitionsCount: number,
    seed: number,
    source: Source | "any",
    options: ConsumerOptions = { group: "group" },
  ) {
    this.#source = source;
    this.#options = options;
    this.#membersMax = "group" in options ? 4 : 1;
    this.time = new SimulatedTime(seed);
    this.topic = new SimulatedTopic(this.time, partitionsCount);
    this.topic.onMoved = (partitionId, clientId) => this.moves.push({ partitionId, clientId, atMs: this.time.nowMs() });
  }

  join(handlerMs: number): void {
    const options = this.#options;
    const connection = this.topic.connect("group" in options ? options.group : options.name);
    const any = sources[Math.floor(this.time.random() * sources.length)]!;
    connection.offer(this.#source === "any" ? any : this.#source);
    const consumer = new ConsumerEngine<string>(
      {
        commands: connection,
        format: { decode: (payload) => new TextDecoder().decode(payload) },
        place: { stream: "s", topic: "t" },
        clock: this.time,
      },
      options,
    );
    const member = { consumer, connection, shouldBreak: false };
    this.members.push(member);
    this.loops.push(this.#loop(member, this.#number++, handlerMs));
  }

  async #loop(member: (typeof this.members)[number], number: number, handlerMs: number): Promise<void> {
    try {
      let isBroken = true;
      while (isBroken) {
        isBroken = false;
        for await (const { value } of member.consumer) {
          const { clientId } = member.connection;
          this.delivered.push({ name: value, clientId, member: number, atMs: this.time.nowMs() });
          if (handlerMs > 0) await this.time.wait(handlerMs);
          if (!member.shouldBreak) continue;
          member.shouldBreak = false;
          isBroken = true;
          break;
        }
      }
    } catch (error) {
      this.failures.push(error);
    }
  }

  async act(action: Action): Promise<void> {
    const { members, topic, time } = this;
    switch (action.kind) {
      case "join":
        if (members.length < this.#membersMax) this.join(action.handlerMs);
        return;
      case "leave":
      case "crash":
      case "cut":
      case "break":
      case "down": {
        const index = members.length === 0 ? -1 : action.which % members.length;
        const member = members[index];
        if (member === undefined) return;
        if (action.kind === "cut") member.connection.cut();
        if (action.kind === "break") member.shouldBreak = true;
        if (action.kind === "down") {
          member.connection.cut();
          member.connection.isDown = true;
          void time.wait(action.ms).then(() => {
            member.connection.isDown = false;
          });
        }
        if (action.kind === "leave" || action.kind === "crash") {
          members.splice(index, 1);
          // A crash stores nothing and says nothing.
          if (action.kind === "crash") member.connection.close();
          void member.consumer.close();
        }
        return;
      }
      case "append": {
        const partitionId = action.partitionId % topic.partitions.length;
        const first = topic.partitions[partitionId]!.firstOffset + topic.partitions[partitionId]!.messages.length;
        topic.append(partitionId, action.count);
        const { purges } = topic.partitions[partitionId]!;
        for (let n = 0; n < action.count; n++) this.appended.push(`${purges}/${partitionId}/${first + n}`);
        return;
      }
      case "retain": {
        const partitionId = action.partitionId % topic.partitions.length;
        const { firstOffset, purges } = topic.partitions[partitionId]!;
        topic.retain(partitionId, action.keep);
        for (let o = firstOffset; o < topic.partitions[partitionId]!.firstOffset; o++)
          this.removed.add(`${purges}/${partitionId}/${o}`);
        return;
      }
      case "purge":
        // A purge is found when somebody looks: where the partition is filled up before, nothing shows. Who cannot look now, or has
        // just got a connection again, needs as long as that takes.
        for (const [partitionId, { firstOffset, messages, purges }] of topic.partitions.entries()) {
          for (let n = 0; n < messages.length; n++) this.removed.add(`${purges}/${partitionId}/${firstOffset + n}`);
        }
        topic.purge();
        await time.advance(members.some(({ connection }) => connection.isDown) ? 20_000 : 8_000);
        return;
      case "room":
        topic.subscriptionsMax = action.subscriptionsMax;
        return;
      case "addPartition":
        if (topic.partitions.length < 6) topic.addPartitions(1);
        return;
      case "wait":
        await time.advance(action.ms);
        topic.forceOverdue();
    }
  }

  async finish(): Promise<void> {
    for (const { connection } of this.members) connection.isDown = false;
    if (this.members.length === 0) this.join(0);
    const missing = () => {
      const seen = new Set(this.delivered.map(({ name }) => name));
      return this.appended.filter((name) => !seen.has(name) && !this.removed.has(name));
    };
    for (let waited = 0; missing().length > 0 && waited < 900_000; waited += 1_000) {
      await this.time.advance(1_000);
      this.topic.forceOverdue();
    }
    expect(missing()).toEqual([]);
    const closing = this.members.map(({ consumer }) => consumer.close());
    await this.time.resultOf(Promise.all([...closing, ...this.loops]), 60_000);
    await this.time.advance(15_000); // what was cut short by a crash
    expect(this.failures).toEqual([]);
    expect(this.time.sleepersCount).toBe(0);
  }

  checkOrder(): void {
    const last = new Map<string, number>();
    const seen = new Set<string>();
    for (const { name } of this.delivered) {
      // What retention removes may still lie ready with a member that does not know yet that the partition is another's.
      if (seen.has(name) || this.removed.has(name)) continue;
      seen.add(name);
      const [purges, partitionId, offset] = name.split("/");
      const key = `${purges}/${partitionId}`;
      expect(Number(offset)).toBeGreaterThan(last.get(key) ?? -1);
      last.set(key, Number(offset));
    }
  }

  /** Whoever is given a message is who the partition belongs to, or has not yet found out that it does not. */
  checkOwners(): void {
    for (const { name, clientId, atMs } of this.delivered) {
      const partitionId = Number(name.split("/")[1]);
      const moves = this.moves.filter((move) => move.partitionId === partitionId && move.atMs <= atMs);
      const isOwner = moves.length > 0 && moves[moves.length - 1]!.clientId === clientId;
      if (isOwner) continue;
      // Some time ago it was the owner, then or under an earlier connection.
      const lostMs = moves.filter(({ atMs: movedMs }) => movedMs > atMs - unawareMsMax);
      if (lostMs.length === 0)
        throw new Error(`${name} was delivered at ${atMs} by ${clientId}, to whom it did not belong`);
    }
  }
}

const partitionId = fc.nat(5);
const which = fc.nat(3);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("append" as const), partitionId, count: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 6_000 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("join" as const), handlerMs: fc.constantFrom(0, 1, 30, 700) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("leave" as const, "crash" as const, "cut" as const, "break" as const),
      which,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("down" as const), which, ms: fc.integer({ min: 1, max: 9_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("retain" as const), partitionId, keep: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "purge" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "addPartition" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("room" as const), subscriptionsMax: fc.nat(4) }) },
);

/** How many partitions, a seed, and what happens to them. */
const schedule = [
  fc.integer({ min: 1, max: 5 }),
  fc.integer(),
  fc.array(action, { minLength: 5, maxLength: 30, size: "max" }),
] as const;

/** Each source alone, and members of which one polls, another waits and a third one is pushed to. */
describe.each(["any", ...sources] as const)("messages from: %s", (source) => {
  const runs = (count: number) => ({ numRuns: source === "any" ? count * 2 : count, endOnFailure: false });

  test("any schedule: every offset at least once, by one member at a time, first occurrences in order", async () => {
    await fc.assert(
      fc.asyncProperty(...schedule, async (partitionsCount, seed, actions) => {
        const world = new World(partitionsCount, seed, source);
        world.join(10);
        for (const one of actions) await world.act(one);
        await world.finish();
        world.checkOrder();
        world.checkOwners();
      }),
      runs(20),
    );
  }, 240_000);

  test("consumers by name, one after the other: every offset at least once, first occurrences in order", async () => {
    await fc.assert(
      fc.asyncProperty(...schedule, async (partitionsCount, seed, actions) => {
        const world = new World(partitionsCount, seed, source, { name: "audit" });
        world.join(10);
        for (const one of actions) await world.act(one);
        await world.finish();
        world.checkOrder();
      }),
      runs(12),
    );
  }, 240_000);

  test("members that only join: handed over without a repeat, each offset exactly once", async () => {
    await fc.assert(
      fc.asyncProperty(...schedule, async (partitionsCount, seed, actions) => {
        const world = new World(partitionsCount, seed, source);
        world.join(10);
        for (const one of actions) {
          if (["append", "wait", "join", "room"].includes(one.kind)) await world.act(one);
        }
        await world.finish();
        world.checkOrder();
        const names = world.delivered.map(({ name }) => name);
        expect(names.length).toBe(new Set(names).size);
      }),
      runs(12),
    );
  }, 240_000);
});
