import { expect, test } from "bun:test";
import fc from "fast-check";
import { SendQueue } from "../../src/client/connection/send-queue.ts";

test("whatever the socket takes at a time, all bytes leave once and in order", () => {
  const frames = fc.array(fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.constant(new Uint8Array(20_000).fill(7))), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(
      frames,
      fc.array(fc.integer({ min: -1, max: 30_000 }), { minLength: 1, maxLength: 10 }),
      (parts, takes) => {
        const queue = new SendQueue();
        const written: Uint8Array[] = [];
        let turn = 0;
        const writeSome = (bytes: Uint8Array) => {
          const taken = Math.min(bytes.length, takes[turn++ % takes.length]!);
          if (taken > 0) written.push(bytes.slice(0, taken));
          return taken;
        };
        for (const part of parts) {
          queue.push(part);
          queue.flush(writeSome);
        }
        let done = false;
        for (let rounds = 0; rounds < 100 && !done; rounds++) done = queue.flush(writeSome);
        done ||= queue.flush((bytes) => written.push(bytes.slice()) && bytes.length);
        expect(done).toBe(true);
        expect(Buffer.compare(Buffer.concat(written), Buffer.concat(parts))).toBe(0);
        expect(queue.takenBytes).toBe(queue.queuedBytes);
      },
    ),
    { numRuns: 60 },
  );
});

test("small frames that wait together leave in one write", () => {
  const queue = new SendQueue();
  for (let index = 0; index < 100; index++) queue.push(Uint8Array.of(index));
  const sizes: number[] = [];
  queue.flush((bytes) => sizes.push(bytes.length) && bytes.length);
  expect(sizes).toEqual([100]);
});
