// One producer that sends one message after the other, and how long each took.
import type { Client } from "../../src/client/index.ts";
import type { TestServer } from "../../tests/support/server.ts";

const payload = new Uint8Array(1000);

/** How long sends took while it was not paused. */
export class Latencies {
  readonly #tookMs: number[] = [];
  #isPaused: boolean;

  constructor(isPaused: boolean) {
    this.#isPaused = isPaused;
  }

  add(tookMs: number): void {
    if (!this.#isPaused) this.#tookMs.push(tookMs);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** In milliseconds; NaN if there are none. It ends the measurement. */
  p99(): number {
    this.pause();
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  }
}

export class Producer {
  readonly client: Client;
  /** The first few. */
  readonly failures: string[] = [];
  readonly #measurements: Latencies[] = [];
  #isOver = false;
  #done: Promise<void> = Promise.resolve();

  private constructor(client: Client) {
    this.client = client;
  }

  static async start(server: TestServer): Promise<Producer> {
    const client = await server.connect();
    await client.createStream("standing");
    await client.createTopic("standing", { name: "still", partitionsCount: 1 });
    const producer = new Producer(client);
    producer.#done = producer.#send();
    return producer;
  }

  /** A measurement; it begins at once, or with `resume`. */
  latencies(isPaused = false): Latencies {
    const latencies = new Latencies(isPaused);
    this.#measurements.push(latencies);
    return latencies;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
    await this.client.close();
  }

  async #send(): Promise<void> {
    while (!this.#isOver) {
      const startMs = performance.now();
      try {
        await this.client.sendMessages({
          ...{ stream: "standing", topic: "still", messages: [{ payload }] },
          partitioning: { kind: "partition", partitionId: 0 },
        });
      } catch (error) {
        if (this.failures.length < 5) this.failures.push(String(error));
        await Bun.sleep(100);
      }
      const tookMs = performance.now() - startMs;
      for (const latencies of this.#measurements) latencies.add(tookMs);
    }
  }
}
