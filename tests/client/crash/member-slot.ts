// A member of a group that comes and goes: by close, by the end of its loop, by a signal, or because its connection is cut. When it
// has gone another one comes in its place.
import { type Client, type Consumer, connect, text } from "../../../src/client/index.bun.ts";
import { CuttingProxy } from "../../support/cutting-proxy.ts";
import type { Ledger } from "./ledger.ts";

/** How the time of a member ends. */
const ends = ["close", "loop", "signal", "cut", "client"] as const;
type EndKind = (typeof ends)[number];

export interface SlotOptions {
  readonly name: string;
  readonly port: () => number;
  readonly group: string;
  readonly ledger: Ledger;
  /** From 0 to below `limit`. */
  readonly below: (limit: number) => number;
}

export class MemberSlot {
  readonly #options: SlotOptions;
  readonly #proxy: CuttingProxy;
  readonly #stopping = new AbortController();
  #lives = 0;
  /** How members have gone. */
  readonly gone = new Map<EndKind, number>();
  readonly done: Promise<void>;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.#proxy = new CuttingProxy(options.port);
    this.done = this.#run();
  }

  /** The member that is there goes in good order, and none comes after it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.done;
    this.#proxy.stop();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const name = `${this.#options.name}.${this.#lives++}`;
      const client = await connect(`iggy://iggy:iggy@127.0.0.1:${this.#proxy.port}`, {
        waitForServerMs: 60_000,
        reconnect: { minMs: 5, maxMs: 100 },
        instrumentation: {
          receive: ({ partitionId, messagesCount }) => {
            this.#options.ledger.received(name, partitionId ?? -1, messagesCount);
            return undefined;
          },
        },
      });
      await this.#live(client, name);
      await client.close();
    }
  }

  async #live(client: Client, name: string): Promise<void> {
    const { group, ledger, below } = this.#options;
    const end = ends[below(ends.length)]!;
    const ending = new AbortController();
    const consumer = client.topic("shop", "orders", text).consumer({
      group,
      commit: { everyMs: 50, everyMessages: 100 },
      ...(end === "signal" && { signal: ending.signal }),
      onAssigned: (partitionIds) => ledger.assigned(name, partitionIds),
      onLost: (partitionIds) => ledger.lost(name, partitionIds),
    });
    const events = this.#follow(consumer);
    const working = below(2) === 0 ? this.#loop(consumer, name, end, ending) : this.#handle(consumer, name, ending);
    const worked = working.catch((error: unknown) => {
      const stack = error instanceof Error ? error.stack : undefined;
      if (error !== ending.signal.reason) ledger.wrong.push(`${name} failed: ${error} ${stack}`);
    });
    await Promise.race([this.#pause(200 + below(1_500)), worked]);
    this.gone.set(end, (this.gone.get(end) ?? 0) + 1);
    if (end === "cut") {
      this.#proxy.cutAll();
      await this.#pause(below(500)); // it comes back by itself
    }
    if (end === "client") await client.close();
    ending.abort();
    // Its loop ends with the next message, if one comes.
    if (end === "loop") await Promise.race([worked, this.#pause(1_000)]);
    await consumer.close();
    await worked;
    await events;
  }

  async #follow(consumer: Consumer<string>): Promise<void> {
    for await (const event of consumer.events())
      if (event.kind === "committed") this.#options.ledger.committed(event.offsets);
  }

  async #loop(consumer: Consumer<string>, name: string, end: EndKind, ending: AbortController): Promise<void> {
    for await (const { partitionId, offset } of consumer) {
      this.#options.ledger.delivered(name, partitionId, offset);
      if (this.#options.below(20) === 0) await Bun.sleep(1);
      if (ending.signal.aborted && end === "loop") break;
    }
  }

  async #handle(consumer: Consumer<string>, name: string, ending: AbortController): Promise<void> {
    ending.signal.addEventListener("abort", () => void consumer.close());
    await consumer.run(async ({ partitionId, offset }) => {
      this.#options.ledger.delivered(name, partitionId, offset);
      if (this.#options.below(20) === 0) await Bun.sleep(1);
    });
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end);
    });
  }
}
