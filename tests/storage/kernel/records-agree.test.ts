// Unpack, pack and measure in the two kernels: equal results and equal bytes for good, mutated and hostile records and
// logs, never a byte outside the areas; and what is packed comes back as it was.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { bothArenas } from "./kernel-arena.ts";
import { pack, packInPlace, type Slack, unpack } from "./record-arena.ts";
import {
  buildRecord,
  buildSent,
  buildStored,
  type RecordMessage,
  resealRecord,
  type StoredMessage,
} from "./records.ts";

const { wasm, js } = bothArenas(1_000_000);

const id = fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }));
const payload = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  fc.integer({ min: 900, max: 5000 }).map((size) => Uint8Array.from({ length: size }, (_, at) => (at * 7) & 0xff)),
);
const userHeaders = fc.uint8Array({ maxLength: 40 });
const realTime = 1_752_000_000_000_000n;

const sent: fc.Arbitrary<RecordMessage> = fc.record({
  id,
  payload,
  userHeaders,
  originTimestamp: fc.bigInt({ min: realTime, max: realTime + 2n ** 32n - 1n }),
});

const sentBatch = fc.oneof(
  { weight: 4, arbitrary: fc.array(sent, { minLength: 1, maxLength: 8 }) },
  fc.array(sent, { minLength: 20, maxLength: 70, size: "max" }),
);

/** A number that hurts, somewhere in the first bytes of a record or anywhere. */
const mutation = fc.record({
  word: fc.oneof(fc.constantFrom(8, 9, 12, 13, 72, 73, 74, 75), fc.nat(400)),
  value: fc.oneof(fc.nat(900), fc.constantFrom(0xffff_ffff, 0xffff_ffd0, 0x8000_0000, 0), fc.nat()),
});

const slack: fc.Arbitrary<Slack> = fc.record({
  rows: fc.constantFrom(0, 0, 48, 5),
  frames: fc.constantFrom(0, 0, 1, 700),
});

test("unpack does the same in both kernels for good, mutated and cut records", () => {
  const codes = new Set<unknown>();
  fc.assert(
    fc.property(
      sentBatch,
      fc.array(mutation, { maxLength: 2 }),
      fc.boolean(),
      fc.oneof(fc.constant(0), fc.nat(80)),
      slack,
      (messages, mutations, isSealed, cutBytes, room) => {
        const built = buildRecord(messages);
        const record = built.slice(0, Math.max(256, built.byteLength - cutBytes));
        const view = new DataView(record.buffer);
        for (const { word, value } of mutations) view.setUint32((word * 4) % (record.byteLength & ~3), value, true);
        if (isSealed) resealRecord(record);
        const found = unpack(wasm, record, messages.length, room);
        expect(found).toEqual(unpack(js, record, messages.length, room));
        expect(found.canariesLive).toBe(true);
        expect(found.header).toEqual(record.slice(0, 256));
        codes.add(found.code);
        if (mutations.length === 0 && cutBytes === 0) {
          expect(found.code).toBe(0);
          expect(found.messages).toEqual(new Uint8Array(Buffer.concat(messages.map(buildSent))));
        }
      },
    ),
    { numRuns: 1200 },
  );
  for (const code of [0, 3, 4009, 4027, 4039]) expect(codes).toContain(code);
});

test("unpack of noise does the same in both kernels", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 256, maxLength: 700 }), fc.nat(6), (noise, count) => {
      // Far enough into the checks: the length and the reserved bytes are right.
      const record = noise.fill(0, 52, 256);
      const view = new DataView(record.buffer, record.byteOffset);
      view.setBigUint64(32, BigInt(record.byteLength), true);
      view.setUint32(48, count, true);
      const found = unpack(wasm, record, count);
      expect(found).toEqual(unpack(js, record, count));
      expect(found.canariesLive).toBe(true);
    }),
    { numRuns: 500 },
  );
});

/** A log: runs of messages of one append each, with a gap now and then, and producers that send 0 as their time. */
const log = fc
  .array(
    fc.record({
      messages: fc.array(
        fc.record({
          id,
          payload,
          userHeaders,
          originTimestamp: fc.oneof(
            { weight: 6, arbitrary: fc.bigInt({ min: realTime, max: realTime + 5000n }) },
            fc.constantFrom(0n, realTime + 2n ** 32n - 1n, realTime + 2n ** 32n, 2n ** 64n - 1n, 2n ** 63n),
          ),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      gap: fc.constantFrom(0n, 0n, 0n, 1n, 2n ** 32n),
      later: fc.constantFrom(0n, 1n, 1n, 2n ** 32n),
    }),
    { maxLength: 8 },
  )
  .map((appends) => {
    let offset = 2n ** 32n - 5n;
    let timestamp = realTime;
    return appends.flatMap(({ messages, gap, later }) => {
      offset += gap;
      timestamp += later;
      return messages.map((message): StoredMessage => ({ ...message, timestamp, offset: offset++ }));
    });
  });

test("pack and measure do the same in both kernels, and unpack gives every message back", () => {
  let recordsCount = 0;
  fc.assert(
    fc.property(
      log,
      fc.nat(),
      fc.oneof(fc.constant(60_000), fc.nat(6000)),
      fc.nat(2 ** 32 - 1),
      (stored, cut, max, partition) => {
        const whole = buildStored(stored);
        const messages = cut % 3 === 0 ? whole.slice(0, cut % (whole.byteLength + 1)) : whole;
        const found = pack(wasm, messages, max, partition);
        expect(found).toEqual(pack(js, messages, max, partition));
        expect(found.canariesLive).toBe(true);
        expect(found.messages).toEqual(messages);

        // Each record is one that a producer could send, so unpack checks it: its layout and all of its checksums.
        let next = 0;
        for (let position = 0; position < found.written.byteLength; recordsCount++) {
          const view = new DataView(found.written.buffer, found.written.byteOffset + position);
          const record = found.written.slice(position, position + Number(view.getBigUint64(32, true)));
          const count = view.getUint32(48, true);
          const back = unpack(wasm, record, count);
          expect(back.code).toBe(0);
          const group = stored.slice(next, next + count);
          expect(back.messages).toEqual(new Uint8Array(Buffer.concat(group.map(buildSent))));
          expect(view.getBigUint64(8, true)).toBe(group[0]!.offset);
          expect(new Set(group.map((message) => message.timestamp))).toEqual(new Set([view.getBigUint64(16, true)]));
          next += count;
          position += record.byteLength;
        }
        expect(found.result).toMatchObject({ messagesCount: next });
        // With room enough, everything whole is written, and that is what was measured.
        if (max === 60_000) expect(found.measured).toBe(found.written.byteLength);
        if (max === 60_000 && messages === whole) expect(next).toBe(stored.length);
      },
    ),
    { numRuns: 800 },
  );
  expect(recordsCount).toBeGreaterThan(500);
});

test("pack in place does the same in both kernels, and writes what it writes elsewhere as long as nothing is overtaken", () => {
  let cutCount = 0;
  fc.assert(
    fc.property(log, fc.oneof(fc.nat(600), fc.nat(20_000)), fc.nat(2 ** 32 - 1), (stored, aheadBytes, partition) => {
      const messages = buildStored(stored);
      const found = packInPlace(wasm, messages, aheadBytes, partition);
      expect(found).toEqual(packInPlace(js, messages, aheadBytes, partition));
      expect(found.canariesLive).toBe(true);
      const { usedBytes, writtenBytes } = found.result;
      expect(found.unused).toEqual(messages.slice(usedBytes));
      const apart = pack(wasm, messages.slice(0, usedBytes), 60_000, partition);
      expect(found.written).toEqual(apart.written);
      expect(found.result).toEqual(apart.result as typeof found.result);
      if (usedBytes === messages.byteLength) return;
      // It stops for one reason only.
      expect(writtenBytes + 304).toBeGreaterThan(aheadBytes + usedBytes);
      cutCount++;
    }),
    { numRuns: 800 },
  );
  expect(cutCount).toBeGreaterThan(50);
});

test("pack and measure of noise and of damaged messages do the same in both kernels", () => {
  fc.assert(
    fc.property(log, fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.nat(4000), (stored, mutations, max) => {
      const messages = buildStored(stored);
      const view = new DataView(messages.buffer);
      for (const { word, value } of mutations) {
        if (messages.byteLength >= 4) view.setUint32((word * 4) % (messages.byteLength & ~3), value, true);
      }
      const found = pack(wasm, messages, max, 3);
      expect(found).toEqual(pack(js, messages, max, 3));
      expect(found).toMatchObject({ messages, canariesLive: true });
    }),
    { numRuns: 600 },
  );
});
