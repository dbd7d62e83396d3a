// A consumer over a simulated topic, in simulated time.
import { test } from "bun:test";
import { ConsumerEngine } from "../../../src/client/consumer/consumer-engine.ts";
import type { ConsumerHooks } from "../../../src/client/consumer/observer.ts";
import type { ConsumerEvent, ConsumerOptions, ReaderOptions } from "../../../src/client/consumer/options.ts";
import { ReaderEngine } from "../../../src/client/consumer/reader-engine.ts";
import { type SimulatedConnection, type Source, sources } from "./simulated-connection.ts";
import { SimulatedTime } from "./simulated-time.ts";
import { SimulatedTopic } from "./simulated-topic.ts";

export const place = { stream: "shop", topic: "orders" };
export const textFormat = {
  decode(payload: Uint8Array): string {
    const text = new TextDecoder().decode(payload);
    if (text === "bad") throw new TypeError("not a value");
    return text;
  },
};

export interface Made {
  readonly consumer: ConsumerEngine<string>;
  readonly connection: SimulatedConnection;
  readonly events: ConsumerEvent[];
}

/** A test that is run over each source: what a program sees is the same. Counts of requests are not. */
export const testOverSources = (name: string, body: (source: Source) => Promise<void>): void => {
  for (const source of sources) test(`over ${source}: ${name}`, () => body(source));
};

export class Scene {
  readonly time = new SimulatedTime();
  readonly topic: SimulatedTopic;
  readonly #source: Source;

  constructor(partitionsCount: number, source: Source = "polls") {
    this.#source = source;
    this.topic = new SimulatedTopic(this.time, partitionsCount);
  }

  #connect(consumer: string): SimulatedConnection {
    const connection = this.topic.connect(consumer);
    connection.offer(this.#source);
    return connection;
  }

  consumer(options: ConsumerOptions = { group: "group" }, hooks: ConsumerHooks = {}): Made {
    const connection = this.#connect("group" in options ? "group" : options.name);
    const parts = { commands: connection, format: textFormat, place, clock: this.time, hooks };
    const consumer = new ConsumerEngine(parts, options);
    const events: ConsumerEvent[] = [];
    void (async () => {
      for await (const event of consumer.events()) events.push(event);
    })();
    return { consumer, connection, events };
  }

  reader(options: ReaderOptions = {}, hooks: ConsumerHooks = {}) {
    const connection = this.#connect("reader");
    return {
      reader: new ReaderEngine({ commands: connection, format: textFormat, place, clock: this.time, hooks }, options),
      connection,
    };
  }

  /** The next values of an iterator. */
  async next<T>(iterator: AsyncIterator<{ readonly value: T }>, count: number): Promise<T[]> {
    const values: T[] = [];
    for (let taken = 0; taken < count; taken++) {
      const result = await this.time.resultOf(iterator.next());
      if (result.done) break;
      values.push(result.value.value);
    }
    return values;
  }

  stored(partitionId: number, consumer = "group"): number | undefined {
    return this.topic.partitions[partitionId]!.stored.get(consumer);
  }
}

/** Texts that `SimulatedTopic.append` gives messages. */
export function names(partitionId: number, first: number, count: number, purges = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${purges}/${partitionId}/${first + index}`);
}
