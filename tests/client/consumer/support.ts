// A consumer over a simulated topic, in simulated time.
import { Consumer } from "../../../src/client/consumer/consumer.ts";
import type { ConsumerHooks } from "../../../src/client/consumer/observer.ts";
import type { ConsumerEvent, ConsumerOptions } from "../../../src/client/consumer/options.ts";
import { Reader, type ReaderOptions } from "../../../src/client/consumer/reader.ts";
import { SimulatedTime } from "./simulated-time.ts";
import { type SimulatedConnection, SimulatedTopic } from "./simulated-topic.ts";

export const place = { stream: "shop", topic: "orders" };
export const textFormat = {
  decode(payload: Uint8Array): string {
    const text = new TextDecoder().decode(payload);
    if (text === "bad") throw new TypeError("not a value");
    return text;
  },
};

export interface Made {
  readonly consumer: Consumer<string>;
  readonly connection: SimulatedConnection;
  readonly events: ConsumerEvent[];
}

export class Scene {
  readonly time = new SimulatedTime();
  readonly topic: SimulatedTopic;

  constructor(partitionsCount: number) {
    this.topic = new SimulatedTopic(this.time, partitionsCount);
  }

  consumer(options: ConsumerOptions = { group: "group" }, hooks: ConsumerHooks = {}): Made {
    const connection = this.topic.connect("group" in options ? "group" : options.name);
    const parts = { commands: connection, format: textFormat, place, clock: this.time, hooks };
    const consumer = new Consumer(parts, options);
    const events: ConsumerEvent[] = [];
    void (async () => {
      for await (const event of consumer.events()) events.push(event);
    })();
    return { consumer, connection, events };
  }

  reader(options: ReaderOptions = {}, hooks: ConsumerHooks = {}) {
    const connection = this.topic.connect("reader");
    return {
      reader: new Reader({ commands: connection, format: textFormat, place, clock: this.time, hooks }, options),
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
