// `persisted` topics on a broker whose level is lower: a power loss after the answer takes nothing of them, while it may take
// anything of their neighbours (spec P9 11.2, 11.5).
import { describe, expect, test } from "bun:test";
import { SimDisk } from "../../src/platform/simulated/sim-disk.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import { partitionKeyOf } from "../../src/shard/index.ts";
import type { Acknowledge } from "../../src/storage/index.ts";
import { makePaths } from "../shard/setup.ts";
import { randomMessages } from "./messages.ts";
import { readWhole, settled } from "./partition-reader.ts";
import { Trace } from "./seeds.ts";
import { randomOptions } from "./storage-setup.ts";
import { UniqueClock, WholeProcess } from "./whole-process.ts";

const paths = makePaths("/data");
const stream = { kind: "string", value: "orders" } as const;
const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;
const topics = ["persisted", "replicated"] as const;
const group = { kind: "group", id: 0 } as const;
const consumer = { kind: "consumer", id: 7 } as const;
const seedsCount = 30;

class Broker {
  readonly simulation: Simulation;
  readonly #options: ReturnType<typeof randomOptions>;
  disk: SimDisk;
  process: WholeProcess;

  constructor(seed: number, level: Acknowledge) {
    this.simulation = new Simulation(seed);
    this.#options = { ...randomOptions(this.simulation, level, false), openFilesMax: 64 };
    this.disk = new SimDisk(this.simulation);
    for (const directory of [paths.stateDirectory, paths.streamsDirectory]) this.disk.makeDirectory(directory);
    for (const directory of ["/", "/data"]) this.disk.syncDirectory(directory);
    this.process = this.#start();
  }

  #start(): WholeProcess {
    return new WholeProcess(this.disk, paths, this.#options, new UniqueClock(), new Trace(false));
  }

  /** The topics `persisted` (number 0) and `replicated` (1), which take their options from their names, each with a group. */
  async makeTopics(): Promise<void> {
    await this.wait(this.process.shard.control({ kind: "createStream", request: { name: "orders" } }));
    for (const name of topics) {
      const options = { durability: name, consumer_offset_durability: name };
      const request = { stream, name, partitionsCount: 1, ...settings, options };
      await this.wait(this.process.shard.control({ kind: "createTopic", request }));
      const topic = { kind: "string", value: name } as const;
      await this.wait(this.process.shard.control({ kind: "createGroup", request: { stream, topic, name: "billing" } }));
    }
  }

  /** Answered, and nothing else is under way. */
  async append(topicId: number, partitionId: number, sentCount: number): Promise<number> {
    const sent = randomMessages(this.simulation, sentCount, false);
    await this.wait(this.process.append(partitionKeyOf(0, topicId, partitionId), sent));
    return sent.length;
  }

  async store(topicId: number, by: typeof group | typeof consumer, offset: number): Promise<void> {
    const partitionKey = partitionKeyOf(0, topicId, 0);
    await this.wait(this.process.shard.offset({ operation: "store", partitionKey, consumer: by, offset }));
  }

  async wait<T>(promise: T | Promise<T>): Promise<T> {
    return promise instanceof Promise ? await settled(this.simulation, promise) : promise;
  }

  losePower(): void {
    this.disk = this.disk.crash();
    this.disk.heal();
    this.process = this.#start();
  }

  /** Messages that a partition returns; undefined: there is no such partition. */
  async count(topicId: number, partitionId: number): Promise<number | undefined> {
    const partition = this.process.partitions.find(partitionKeyOf(0, topicId, partitionId));
    return partition && (await readWhole(this.simulation, partition, () => true)).stored.length;
  }

  offset(topicId: number, by: typeof group | typeof consumer): number | undefined {
    return this.process.partitions.find(partitionKeyOf(0, topicId, 0))?.getOffset(by);
  }
}

describe.each(["memory", "write"] as const)("level %s", (level) => {
  test("what was answered of a persisted topic is there after a power loss; of its neighbour it may be gone", async () => {
    let lostByNeighbours = 0;
    for (let seed = 0; seed < seedsCount; seed++) {
      const broker = new Broker(seed, level);
      await broker.makeTopics();
      const target = { stream, topic: { kind: "string", value: "persisted" } as const };
      const sent = [0, 0];
      for (let round = 0; round < 3; round++) {
        for (const topicId of [0, 1]) sent[topicId]! += await broker.append(topicId, 0, sent[topicId]!);
      }
      await broker.wait(broker.process.shard.control({ kind: "createPartitions", request: { ...target, count: 1 } }));
      const ofNewPartition = await broker.append(0, 1, 0);
      for (const topicId of [0, 1]) {
        await broker.store(topicId, group, sent[topicId]! - 1);
        await broker.store(topicId, consumer, 0);
        await broker.store(topicId, consumer, sent[topicId]! - 1);
      }
      broker.losePower();
      expect([await broker.count(0, 0), await broker.count(0, 1)]).toEqual([sent[0], ofNewPartition]);
      expect([broker.offset(0, group), broker.offset(0, consumer)]).toEqual([sent[0]! - 1, sent[0]! - 1]);
      const neighbour = [await broker.count(1, 0), broker.offset(1, group), broker.offset(1, consumer)];
      if (!Bun.deepEquals(neighbour, [sent[1], sent[1]! - 1, sent[1]! - 1])) lostByNeighbours++;
    }
    expect(lostByNeighbours).toBeGreaterThan(0);
  });

  test("an offset that was deleted stays away", async () => {
    for (let seed = 0; seed < seedsCount; seed++) {
      const broker = new Broker(seed, level);
      await broker.makeTopics();
      await broker.append(0, 0, 0);
      await broker.store(0, consumer, 0);
      const partitionKey = partitionKeyOf(0, 0, 0);
      await broker.wait(broker.process.shard.offset({ operation: "delete", partitionKey, consumer }));
      broker.losePower();
      expect(broker.offset(0, consumer)).toBeUndefined();
    }
  });

  test("an auto-commit is answered when it is durable", async () => {
    for (let seed = 0; seed < seedsCount; seed++) {
      const broker = new Broker(seed, level);
      await broker.makeTopics();
      const count = await broker.append(0, 0, 0);
      const request = { partitionKey: partitionKeyOf(0, 0, 0), from: { kind: "first" }, countMax: count } as const;
      const read = await broker.wait(broker.process.shard.read({ ...request, consumer, autoCommit: true }));
      read.release();
      broker.losePower();
      expect(broker.offset(0, consumer)).toBe(count - 1);
    }
  });
});
