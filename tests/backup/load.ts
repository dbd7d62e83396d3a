// Work that goes on while a backup is made: producers that know what was acknowledged, groups that store offsets, and somebody who
// makes, purges, deletes and cuts topics.
import type { Client } from "../../src/client/index.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import type { TestServer } from "../support/server.ts";

const batchCount = 5;
const textBytes = 150;

/** Sends numbered messages to one partition, one batch after the other. */
class Producer {
  readonly partitionId: number;
  /** Messages that were acknowledged. */
  acknowledged = 0;

  constructor(partitionId: number) {
    this.partitionId = partitionId;
  }

  async run(client: Client, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const messages = Array.from({ length: batchCount }, (_, index) => ({
        payload: Buffer.from(textOf(this.partitionId, this.acknowledged + index)),
      }));
      const partitioning = { kind: "partition", partitionId: this.partitionId } as const;
      await client.sendMessages({ stream: "orders", topic: "created", partitioning, messages });
      this.acknowledged += batchCount;
    }
  }
}

export function textOf(partitionId: number, number: number): string {
  return `${partitionId}/${number}/`.padEnd(textBytes, "x");
}

export class Load {
  readonly producers: readonly Producer[];
  readonly #clients: Client[] = [];
  readonly #running: Promise<unknown>[] = [];
  #isOver = false;
  /** Rounds of what makes and takes away topics. */
  rounds = 0;

  private constructor(partitionsCount: number) {
    this.producers = Array.from({ length: partitionsCount }, (_, partitionId) => new Producer(partitionId));
  }

  static async start(server: TestServer, partitionsCount: number): Promise<Load> {
    const load = new Load(partitionsCount);
    const first = await load.#connect(server);
    await first.createStream("orders");
    await first.createTopic("orders", { name: "created", partitionsCount });
    await first.createConsumerGroup("orders", "created", "billing");
    for (const producer of load.producers) {
      const client = await load.#connect(server);
      load.#running.push(producer.run(client, () => load.#isOver));
    }
    load.#running.push(load.#consume(await load.#connect(server)), load.#change(first));
    return load;
  }

  /** What was acknowledged by now, by partition. */
  acknowledged(): number[] {
    return this.producers.map(({ acknowledged }) => acknowledged);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
    for (const client of this.#clients) await client.close();
  }

  async #connect(server: TestServer): Promise<Client> {
    const client = await server.connect();
    this.#clients.push(client);
    return client;
  }

  async #consume(client: Client): Promise<void> {
    await client.joinConsumerGroup("orders", "created", "billing");
    while (!this.#isOver) {
      await client.pollMessages({
        stream: "orders",
        topic: "created",
        consumer: { kind: "group", id: { kind: "string", value: "billing" } },
        strategy: { kind: "next", value: 0n },
        count: 20,
        autoCommit: true,
      });
    }
  }

  async #change(client: Client): Promise<void> {
    const messages = Array.from({ length: 40 }, (_, index) => ({ payload: Buffer.from(textOf(0, index)) }));
    const partitioning = { kind: "partition", partitionId: 0 } as const;
    for (; !this.#isOver; this.rounds++) {
      const topic = `passing-${this.rounds % 3}`;
      await unlessThere(client.createTopic("orders", { name: topic, partitionsCount: 2 }));
      await client.sendMessages({ stream: "orders", topic, partitioning, messages });
      await client.deleteSegments("orders", topic, 0, 1);
      if (this.rounds % 2 === 0) await client.purgeTopic("orders", topic);
      else await client.deleteTopic("orders", topic);
    }
  }
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!(error instanceof IggyError) || error.errorName !== "TopicNameAlreadyExists") throw error;
  }
}
