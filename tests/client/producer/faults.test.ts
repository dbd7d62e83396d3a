import { expect, test } from "bun:test";
import fc from "fast-check";
import { IggyError, type SendError, text } from "../../../src/client/index.bun.ts";
import { FakeBroker, type FakeSend } from "../fake-broker.ts";

// Any schedule of refusals and lost connections: what the tables of the producer promise (src/client/producer/producer.ts).

type Fault = "answer" | "refuse" | "cut before it is stored" | "cut after it is stored" | "refuse the next connection";

const faults = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<Fault>("answer") },
    { weight: 1, arbitrary: fc.constant<Fault>("refuse") },
    { weight: 2, arbitrary: fc.constant<Fault>("cut before it is stored") },
    { weight: 2, arbitrary: fc.constant<Fault>("cut after it is stored") },
    { weight: 1, arbitrary: fc.constant<Fault>("refuse the next connection") },
  ),
  { maxLength: 40 },
);

/** Does with the oldest send of an open connection what the schedule says; afterwards everything is answered. */
class FaultyBroker extends FakeBroker {
  readonly #waiting: FakeSend[] = [];
  readonly #faults: Fault[];
  #isStepping = false;

  constructor(faults: readonly Fault[]) {
    super();
    this.#faults = [...faults];
    this.onSend = (send) => {
      this.#waiting.push(send);
      if (!this.#isStepping) void this.#run();
    };
  }

  async #run(): Promise<void> {
    this.#isStepping = true;
    while (this.#waiting.length > 0) {
      await Bun.sleep(0);
      const send = this.#waiting.shift();
      if (send !== undefined && !send.connection.isClosed) this.#step(send, this.#faults.shift() ?? "answer");
    }
    this.#isStepping = false;
  }

  #step(send: FakeSend, fault: Fault): void {
    if (fault === "answer") return void send.answer();
    if (fault === "refuse") return void send.refuse("Unauthorized");
    if (fault === "cut after it is stored") send.store();
    if (fault === "refuse the next connection") {
      this.refusal = new Error("nobody there");
      setTimeout(() => {
        this.refusal = undefined;
      }, 3);
    }
    send.connection.close();
  }
}

const messages = fc.array(fc.record({ partitionId: fc.nat(2), waits: fc.boolean() }), { minLength: 1, maxLength: 60 });
const options = fc.record({
  batchMessagesMax: fc.integer({ min: 1, max: 5 }),
  inFlightMax: fc.integer({ min: 1, max: 4 }),
});

test.each(["repeat", "reject"] as const)("property: onUncertain %s", async (onUncertain) => {
  await fc.assert(
    fc.asyncProperty(messages, faults, options, fc.boolean(), async (messages, faults, options, deduplicates) => {
      const broker = new FaultyBroker(faults);
      broker.deduplicates = deduplicates;
      const client = await broker.connect();
      const producer = client.topic("shop", "orders", text).producer({ ...options, onUncertain });
      const outcomes: Promise<{ readonly attempts: number } | SendError>[] = [];
      for (const [index, { partitionId, waits }] of messages.entries()) {
        const sent = producer.send({ value: String(index), partitionId });
        outcomes.push(sent.catch((error: SendError) => error));
        if (waits) await Bun.sleep(0);
      }
      await producer.flush();
      const settled = await Promise.all(outcomes);
      expect(producer.stats).toMatchObject({ bufferedBytes: 0, inFlight: 0 });
      await client.close();

      for (const partitionId of [0, 1, 2]) {
        const stored = (broker.stored.get(partitionId) ?? []).map(Number);
        const acknowledged: number[] = [];
        for (const [index, message] of messages.entries()) {
          if (message.partitionId !== partitionId) continue;
          const outcome = settled[index]!;
          const copies = stored.filter((value) => value === index).length;
          if (!IggyError.is(outcome)) {
            acknowledged.push(index);
            expect(copies).toBeGreaterThanOrEqual(1);
            expect(copies).toBeLessThanOrEqual(deduplicates ? 1 : outcome.attempts);
            if (onUncertain === "reject") expect(outcome.attempts === 1 || copies === 1).toBe(true);
          } else if (!outcome.isUncertain) {
            expect(copies).toBe(0);
          }
          if (onUncertain === "reject") expect(copies).toBeLessThanOrEqual(1);
        }
        const isAcknowledged = new Set(acknowledged);
        const firsts = [...new Set(stored)].filter((value) => isAcknowledged.has(value));
        expect(firsts).toEqual(acknowledged);
      }
    }),
    { numRuns: 150 },
  );
}, 120_000);
