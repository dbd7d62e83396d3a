import { expect, test } from "bun:test";
import fc from "fast-check";
import { readMessageId } from "../../../src/client/index.bun.ts";
import { MessageIds } from "../../../src/client/producer/message-ids.ts";

function written(ids: MessageIds, position = 0): Uint8Array {
  const bytes = new Uint8Array(position + 16);
  ids.write(new DataView(bytes.buffer), position);
  return bytes;
}

/** As clients show an id: a number whose highest byte comes first. */
function uuidOf(bytes: Uint8Array): string {
  return bytes.toReversed().toHex();
}

test("property: an id is a UUID of version 8 and its variant, whatever the random bits, and they all count", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.integer({ min: 0, max: 7 }), (random, bit) => {
      const ids = new MessageIds((bytes) => bytes.set(random));
      const first = uuidOf(written(ids));
      expect(first[12]).toBe("8");
      expect("89ab").toContain(first[16]!);
      const second = written(ids, 5);
      expect(readMessageId(second, 5)).toMatchObject({ number: 1 });
      expect(uuidOf(second.subarray(5)).slice(0, 16)).toBe(first.slice(0, 16));
      expect(bit).toBeLessThan(8);
    }),
  );
});

test("58 of the random bits are in the id: each changes it", () => {
  const idOf = (random: Uint8Array) => uuidOf(written(new MessageIds((bytes) => bytes.set(random))));
  const zero = idOf(new Uint8Array(8));
  let countedBits = 0;
  for (let bit = 0; bit < 64; bit++) {
    const random = new Uint8Array(8);
    random[bit >> 3] = 1 << (bit & 7);
    if (idOf(random) !== zero) countedBits++;
  }
  expect(countedBits).toBe(58);
});

test("numbers count up, and sequences tell producers' partitions apart", () => {
  const [a, b] = [new MessageIds(), new MessageIds()];
  const read = Array.from({ length: 300 }, () => readMessageId(written(a), 0)!);
  expect(read.map(({ number }) => number)).toEqual(Array.from({ length: 300 }, (_, index) => index));
  expect(new Set(read.map(({ sequence }) => sequence)).size).toBe(1);
  expect(readMessageId(written(b), 0)!.sequence).not.toBe(read[0]!.sequence);
});

test("ids of others are none of ours: random ones, numbers, none at all", () => {
  const random = Uint8Array.fromHex("2f1a4c5d6e7f408192a3b4c5d6e7f809").toReversed(); // version 4
  expect(readMessageId(random, 0)).toBeUndefined();
  expect(readMessageId(new Uint8Array(16), 0)).toBeUndefined();
  expect(readMessageId(new Uint8Array(16).fill(255), 0)).toBeUndefined();
});
