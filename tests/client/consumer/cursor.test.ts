// The places in a partition, and how much is asked for: against simple models.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Cursor } from "../../../src/client/consumer/cursor.ts";
import { Prefetch } from "../../../src/client/consumer/prefetch.ts";
import type { ReceivedMessage } from "../../../src/client/consumer/received-message.ts";
import { SimulatedTime } from "./simulated-time.ts";
import { SimulatedTopic } from "./simulated-topic.ts";

type Step =
  | { readonly kind: "fetch"; readonly count: number }
  | { readonly kind: "take" }
  | { readonly kind: "rewind" }
  | { readonly kind: "finish" | "putBack" | "commit"; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("fetch" as const), count: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kind: fc.constantFrom("take" as const, "take" as const, "rewind" as const) }),
  fc.record({
    kind: fc.constantFrom("finish" as const, "finish" as const, "putBack" as const, "commit" as const),
    which: fc.nat(9),
  }),
);

test("any takes, ends in any order, givings back and rewinds: handled is what nothing unfinished is before, and all is counted", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const topic = new SimulatedTopic(new SimulatedTime(), 1);
      topic.append(0, 500);
      const total = { messages: 0, bytes: 0 };
      const cursor = new Cursor(0, { from: { kind: "offset", offset: 0 }, isExact: true }, total);
      let inHand: ReceivedMessage<unknown>[] = [];
      const done = new Set<number>();
      for (const one of steps) {
        if (one.kind === "fetch") {
          const request = { partitionId: 0, from: cursor.from, count: one.count, autoCommit: false };
          expect(cursor.accept(topic.poll(request, "n", undefined))).toEqual({ isReset: false });
        } else if (one.kind === "rewind") cursor.rewind();
        else if (one.kind === "take") {
          const message = cursor.take();
          if (message === undefined) continue;
          // The next one that is not handled, each once at a time.
          expect(done.has(message.offset) || inHand.some(({ offset }) => offset === message.offset)).toBe(false);
          inHand = [...inHand, message].sort((a, b) => a.offset - b.offset);
        } else if (inHand.length > 0 && "which" in one) {
          const chosen = inHand[one.which % inHand.length]!;
          if (one.kind === "finish") {
            expect(cursor.finish(chosen)).toBe(true);
            expect(cursor.finish(chosen)).toBe(false);
            done.add(chosen.offset);
            inHand = inHand.filter((message) => message !== chosen);
          } else if (one.kind === "commit") {
            cursor.finishUpTo(chosen.offset);
            for (const { offset } of inHand) if (offset <= chosen.offset) done.add(offset);
            inHand = inHand.filter(({ offset }) => offset > chosen.offset);
          } else {
            cursor.putBack(inHand); // a loop ends with all that it has
            inHand = [];
          }
        }
        // Nothing is handled behind what is in hand, or given back.
        const open = [
          ...inHand.map(({ offset }) => offset),
          ...(cursor.nextOffset === undefined ? [] : [cursor.nextOffset]),
        ];
        for (const offset of open) {
          if (!done.has(offset)) expect(cursor.handledOffset ?? -1).toBeLessThan(offset);
        }
        for (let offset = 0; offset <= (cursor.handledOffset ?? -1); offset++) expect(done.has(offset)).toBe(true);
        expect(total).toEqual(cursor.outstanding);
        expect(total.messages).toBeGreaterThanOrEqual(inHand.length);
        if (!cursor.hasReady) expect(total.messages).toBe(inHand.length);
      }
      cursor.end();
      expect(total).toEqual({ messages: 0, bytes: 0 });
    }),
    { numRuns: 500 },
  );
});

test("any sizes and partitions: what lies ready stays within the limits, and nobody starves", () => {
  const sizes = fc.array(fc.integer({ min: 64, max: 200_000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 20 }), fc.boolean(), (replySizes, partitionsCount, isGroup) => {
      const limits = { messages: 1_000, bytes: 4 * 1024 * 1024 };
      const prefetch = new Prefetch(limits, isGroup, new SimulatedTime());
      const total = { messages: 0, bytes: 0 };
      const own = Array.from({ length: partitionsCount }, () => ({ messages: 0, bytes: 0 }));
      // All replies are full, nothing is handled: it comes to an end.
      for (const size of replySizes) {
        const open = own.filter((one) => prefetch.hasRoom(total, one, partitionsCount));
        for (const one of open) {
          const isStarved = one.messages === 0;
          const count = prefetch.countFor(total, one, partitionsCount, open.length);
          if (isStarved) expect(count).toBeGreaterThan(0);
          prefetch.noteReply(count, count * size);
          for (const counted of [one, total]) {
            counted.messages += count;
            counted.bytes += count * size;
          }
        }
        expect(total.messages).toBeLessThanOrEqual(limits.messages + partitionsCount);
        if (isGroup) expect(total.messages).toBeLessThanOrEqual(partitionsCount);
      }
      expect(own.every(({ messages }) => messages > 0)).toBe(true);
    }),
  );
});
