// The file of revoked access tokens: what damage of it may cost, and the format of version 0.1.0.
import { expect, test } from "bun:test";
import { encode } from "@msgpack/msgpack";
import { createLogger } from "../../src/observability/log.ts";
import { decodeRevocations, encodeRevocations } from "../../src/transport/http/auth/revocation-file.ts";
import { Revocations } from "../../src/transport/http/auth/revocations.ts";
import { MemoryDisk } from "../storage/memory-disk.ts";
import { eventually } from "../support/process-facts.ts";

const nowSeconds = 1_800_000_000;
const revoked = new Map([
  ["0195a0c0-0000-7000-8000-000000000001", nowSeconds + 60],
  ["0195a0c0-0000-7000-8000-000000000002", nowSeconds + 3600],
]);
const path = "/state/tokens";

function openOn(bytes: Uint8Array) {
  const disk = new MemoryDisk();
  disk.makeDirectory("/state");
  disk.put(path, bytes);
  return reopen(disk);
}

function reopen(disk: MemoryDisk) {
  const lines: string[] = [];
  const log = createLogger({ filter: "warn", write: (line) => void lines.push(line) });
  const revocations = Revocations.open({ disk, directory: "/state", log, nowSeconds: () => nowSeconds });
  return { disk, revocations, lines };
}

/** Those of the revoked tokens that would be accepted. */
function acceptedBy(revocations: Revocations): string[] {
  return [...revoked.keys()].filter((tokenId) => !revocations.has({ tokenId, issuedSeconds: nowSeconds - 60 }));
}

const isForeignRefused = (revocations: Revocations) =>
  revocations.has({ tokenId: "another one", issuedSeconds: nowSeconds - 60 });

function withFlippedBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[bit >> 3]! ^= 1 << (bit & 7);
  return flipped;
}

test("any flipped bit is made good by the other copy, with a line", () => {
  const whole = encodeRevocations(revoked);
  for (let bit = 0; bit < whole.byteLength * 8; bit++) {
    const { revocations, lines } = openOn(withFlippedBit(whole, bit));
    expect({ bit, accepted: acceptedBy(revocations) }).toEqual({ bit, accepted: [] });
    expect({ bit, isForeignRefused: isForeignRefused(revocations) }).toEqual({ bit, isForeignRefused: false });
    expect(lines).toEqual([expect.stringContaining("one copy of the list of revoked access tokens is damaged")]);
  }
});

test("what was made good is written anew, so that the next damage costs nothing either", async () => {
  const whole = encodeRevocations(revoked);
  const { disk, revocations } = openOn(withFlippedBit(whole, 300));
  await revocations.revoke("third", nowSeconds + 5);
  const found = decodeRevocations(disk.read(path));
  expect(found).toEqual({ expiries: new Map([...revoked, ["third", nowSeconds + 5]]), state: "whole" });
});

test("damage of both copies, and any cut, accepts no revoked token", () => {
  const whole = encodeRevocations(revoked);
  const copyBits = whole.byteLength * 4;
  for (let bit = 0; bit < copyBits; bit += 7) {
    const { disk, revocations, lines } = openOn(withFlippedBit(withFlippedBit(whole, bit), copyBits + bit));
    expect({ bit, accepted: acceptedBy(revocations) }).toEqual({ bit, accepted: [] });
    expect(isForeignRefused(revocations)).toBe(true);
    expect(lines).toEqual([expect.stringContaining("all that were issued before now are refused")]);
    expect(disk.exists(`${path}.damaged-1`)).toBe(true);
  }
  for (let length = 1; length < whole.byteLength; length++) {
    const { revocations, lines } = openOn(whole.subarray(0, length));
    expect({ length, accepted: acceptedBy(revocations), lines: lines.length }).toEqual({
      length,
      accepted: [],
      lines: 1,
    });
  }
});

test("the file of version 0.1.0 is read, and written anew with a second copy", async () => {
  const bytes = encode(Object.fromEntries(revoked));
  expect(bytes.subarray(0, 3).toHex()).toBe("82d924");
  const { disk, revocations, lines } = openOn(bytes);
  expect([acceptedBy(revocations), isForeignRefused(revocations), lines]).toEqual([[], false, []]);
  await revocations.revoke("third", nowSeconds + 5);
  const again = reopen(disk);
  expect([acceptedBy(again.revocations), again.revocations.count, again.lines]).toEqual([[], 3, []]);
  expect(decodeRevocations(disk.read(path)).state).toBe("whole");
});

test("the file of version 0.1.0 gets its second copy at the start, without a revocation", async () => {
  const { disk } = openOn(encode(Object.fromEntries(revoked)));
  const found = await eventually(
    "the new file",
    async () => decodeRevocations(disk.read(path)),
    ({ state }) => state === "whole",
  );
  expect(found.expiries).toEqual(revoked);
});

test("an empty list, and one of an empty file of version 0.1.0, refuse nobody", () => {
  for (const bytes of [encodeRevocations(new Map()), encode({}), new Uint8Array(0)]) {
    const { revocations, lines } = openOn(bytes);
    expect([revocations.count, isForeignRefused(revocations), lines]).toEqual([0, false, []]);
  }
});

test("an id may be any text, also one that a map could not have", () => {
  const odd = new Map([
    ["__proto__", 1],
    ["", 2],
    ["1", 3],
    ["\u0000ü", 4],
  ]);
  expect(decodeRevocations(encodeRevocations(odd))).toEqual({ expiries: odd, state: "whole" });
});
