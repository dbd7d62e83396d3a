// The two kernels are one specification twice: for random, mutated and hostile bytes they must give equal results and
// equal bytes (ids included, as both have the same seed), and never touch a byte outside their areas.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { AssertionError } from "../../../src/platform/assert.ts";
import { type Batch, buildBatch } from "./batches.ts";
import { type Arena, bothArenas } from "./kernel-arena.ts";

const { wasm, js } = bothArenas(131_072);

const message = fc.record({
  payload: fc.uint8Array({ maxLength: 400 }),
  userHeaders: fc.uint8Array({ maxLength: 40 }),
  id: fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 2n ** 128n - 1n })),
  offset: fc.constantFrom(0n, 0n, 0n, 1n, 2n ** 63n),
  reserved: fc.constantFrom(0n, 1n),
});

/** Bytes overwritten after the batch was built: in the rows or the messages, where a small or a huge number hurts. */
const mutation = fc.record({
  inRows: fc.boolean(),
  word: fc.nat(500),
  value: fc.oneof(fc.nat(700), fc.constantFrom(0xffff_ffff, 0xffff_ffc0, 0x8000_0000, 0), fc.nat()),
});

const hostileBatch = fc
  .record({
    messages: fc.array(message, { maxLength: 8 }),
    mutations: fc.array(mutation, { maxLength: 3 }),
    cutBytes: fc.oneof(fc.constant(0), fc.nat(80)),
    countChange: fc.constantFrom(0, 0, 0, 0, -1),
  })
  .map(({ messages, mutations, cutBytes, countChange }): Batch => {
    const batch = buildBatch(messages);
    for (const { inRows, word, value } of mutations) {
      const area = inRows ? batch.rows : batch.messages;
      if (area.byteLength >= 4) {
        new DataView(area.buffer).setUint32((word * 4) % (area.byteLength & ~3), value, true);
      }
    }
    const kept = batch.messages.slice(0, Math.max(0, batch.messages.byteLength - cutBytes));
    const count = Math.max(0, batch.count + countChange);
    return { rows: batch.rows.slice(0, count * 16), messages: kept, count };
  });

/** As clients send them. */
const goodBatch = fc
  .array(message, { minLength: 1, maxLength: 8 })
  .map((messages) => buildBatch(messages.map((spec) => ({ ...spec, offset: 0n }))));

const noise = fc
  .record({ rows: fc.uint8Array({ maxLength: 64 }), messages: fc.uint8Array({ maxLength: 400 }) })
  .map(({ rows, messages }): Batch => {
    const count = rows.byteLength >> 4;
    return { rows: rows.slice(0, count * 16), messages, count };
  });

/** Where the batch goes: relative offsets and end positions leave 32 bits now and then. */
const place = fc.record({
  segmentStartOffset: fc.constantFrom(0, 17, 2 ** 40),
  ahead: fc.constantFrom(0, 5, 2 ** 32 - 2),
  segmentPosition: fc.constantFrom(0, 1_000_000, 2 ** 32 - 100),
  timestampMicros: fc.nat(2 ** 53 - 1),
  rowsFirst: fc.boolean(),
});

/** What one call did in one arena: its result or that it asserted, both areas, and the canaries. */
function observe(
  arena: Arena,
  batch: Batch,
  rowsFirst: boolean,
  call: (rows: number, messages: number) => unknown,
): Record<string, unknown> {
  const { rowsPosition, messagesPosition } = arena.place(batch.rows, batch.messages, rowsFirst);
  let result: unknown;
  try {
    result = call(rowsPosition, messagesPosition);
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    result = error.message;
  }
  return {
    result,
    rows: arena.read(rowsPosition, batch.rows.byteLength),
    messages: arena.read(messagesPosition, batch.messages.byteLength),
    canariesLive: arena.canariesLive(),
  };
}

test("validate, stamp and scan do the same in both kernels for any bytes", () => {
  let stampedBatches = 0;
  let refusedBatches = 0;
  fc.assert(
    fc.property(fc.oneof(goodBatch, { weight: 3, arbitrary: hostileBatch }, noise), place, (batch, at) => {
      const firstOffset = at.segmentStartOffset + at.ahead;
      const sizeBytes = batch.messages.byteLength;

      const [validated, validatedJs] = [wasm, js].map((arena) =>
        observe(arena, batch, at.rowsFirst, (rows, messages) =>
          arena.kernel.validate(rows, batch.count, messages, sizeBytes),
        ),
      );
      expect(validated!).toEqual(validatedJs!);
      expect(validated!).toEqual({ ...validated!, rows: batch.rows, messages: batch.messages, canariesLive: true });

      // Stamped even when it is not valid: the walk must stay inside all the same.
      const [stamped, stampedJs] = [wasm, js].map((arena) =>
        observe(arena, batch, at.rowsFirst, (rows, messages) =>
          arena.kernel.stamp(
            rows,
            batch.count,
            messages,
            sizeBytes,
            firstOffset,
            at.segmentStartOffset,
            at.segmentPosition,
            at.timestampMicros,
          ),
        ),
      );
      expect(stamped!).toEqual(stampedJs!);
      expect(stamped!.canariesLive).toBe(true);
      const isValid = validated!.result === 0;
      if (isValid) {
        stampedBatches++;
        expect(stamped!.result).toBeUndefined();
      } else refusedBatches++;

      const messages = stamped!.messages;
      if (!(messages instanceof Uint8Array)) throw new Error("observe returns bytes");
      const scanned: Batch = { rows: new Uint8Array(batch.count * 16), messages, count: batch.count };
      const [found, foundJs] = [wasm, js].map((arena) =>
        observe(arena, scanned, at.rowsFirst, (rows, position) =>
          arena.kernel.scan(
            position,
            sizeBytes,
            firstOffset,
            at.segmentStartOffset,
            at.segmentPosition,
            rows,
            batch.count,
          ),
        ),
      );
      expect(found!).toEqual(foundJs!);
      expect(found!).toMatchObject({ messages, canariesLive: true });
      if (isValid) {
        expect(found!.result).toEqual({ messagesCount: batch.count, validBytes: sizeBytes, stop: "end" });
        expect(found!.rows).toEqual(stamped!.rows);
      }
    }),
    { numRuns: 1500 },
  );
  // The generator must reach both sides.
  expect(stampedBatches).toBeGreaterThan(100);
  expect(refusedBatches).toBeGreaterThan(100);
});

test("scan does the same in both kernels for stamped bytes that were damaged afterwards", () => {
  const stops = new Set<unknown>();
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.nat(3),
      fc.nat(9),
      (specs, damagePosition, damage, cut, rowsMax) => {
        const batch = buildBatch(specs);
        const { rowsPosition, messagesPosition } = js.place(batch.rows, batch.messages, true);
        js.kernel.stamp(rowsPosition, batch.count, messagesPosition, batch.messages.byteLength, 3, 0, 0, 1_000_000);
        const stamped = js.read(messagesPosition, batch.messages.byteLength);
        if (cut !== 0) stamped[damagePosition % stamped.byteLength]! ^= damage;
        const messages = stamped.slice(0, cut === 1 ? damagePosition % stamped.byteLength : stamped.byteLength);
        const input: Batch = { rows: new Uint8Array(rowsMax * 16), messages, count: rowsMax };
        const [found, foundJs] = [wasm, js].map((arena) =>
          observe(arena, input, false, (rows, position) => {
            const result = arena.kernel.scan(position, messages.byteLength, 3, 0, 0, rows, rowsMax);
            stops.add(result.stop);
            return result;
          }),
        );
        expect(found!).toEqual(foundJs!);
        expect(found!).toMatchObject({ messages, canariesLive: true });
      },
    ),
    { numRuns: 600 },
  );
  expect([...stops].sort()).toEqual(["corrupt", "end", "full", "incomplete"]);
});
