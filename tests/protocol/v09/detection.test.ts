// Which protocol the first bytes of a connection are (spec P9 1.1).

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { detect09 } from "../../../src/protocol/v09/detection.ts";
import { headerOf, requestFrame } from "./support.ts";

const ping = requestFrame({ operation: 2, code: 1, request: 1n });

test("the first frame of a client: yes from 64 bytes on, wait before", () => {
  for (let length = 0; length <= ping.length; length++) {
    expect(detect09(ping.subarray(0, length))).toBe(length < 64 ? "more" : "yes");
  }
});

test("frames of 0.8, TLS and HTTP are not 0.9 from their first byte that is not 0", () => {
  for (const beginning of ["0500000001", "01000000", "0000000100", "160301", "474554"]) {
    expect(detect09(Uint8Array.fromHex(beginning))).toBe("no");
  }
  expect(detect09(Uint8Array.fromHex("000000"))).toBe("more");
});

describe("four zero bytes and then no header of a request", () => {
  test("a byte before the size that is not 0, at once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 47 }), fc.integer({ min: 1, max: 255 }), (position, byte) => {
        const bytes = ping.slice();
        bytes[position] = byte;
        expect(detect09(bytes.subarray(0, position))).toBe("more");
        expect(detect09(bytes.subarray(0, position + 1))).toBe("broken");
        expect(detect09(bytes)).toBe("broken");
      }),
    );
  });

  test("another command than 5", () => {
    for (let command = 0; command < 256; command++) {
      const bytes = ping.slice();
      bytes[60] = command;
      expect(detect09(bytes)).toBe(command === 5 ? "yes" : "broken");
    }
  });

  test.each([
    ["ff000000", "broken"],
    ["00010000", "yes"],
    ["00000004", "yes"],
    ["01000004", "broken"],
    ["ffffffff", "broken"],
  ])("size %s: %s", (size, expected) => {
    expect(detect09(headerOf({ 48: size, 60: "05" }))).toBe(expected as "yes");
  });

  test("a lower limit of frames", () => {
    const bytes = headerOf({ 48: "00100000", 60: "05" });
    expect([detect09(bytes, 4096), detect09(bytes, 4095)]).toEqual(["yes", "broken"]);
  });
});

test("what is decided stays decided, whatever follows", () => {
  const zeros = fc.nat(70).map((length) => new Uint8Array(length));
  const start = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    zeros,
    fc.nat(80).map((length) => ping.slice(0, length)),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 80 }), (first, rest) => {
      const decision = detect09(first);
      if (decision !== "more") expect(detect09(new Uint8Array([...first, ...rest]))).toBe(decision);
    }),
  );
});
