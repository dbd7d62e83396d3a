import { describe, expect, test } from "bun:test";
import { instantiateKernel } from "../../../src/storage/kernel/wasm-module.ts";
import { sharedMemory } from "./batches.ts";

const memory = sharedMemory(2 * 1024 * 1024);
const bytes = new Uint8Array(memory.buffer);
const kernel = instantiateKernel(memory);
kernel.writeSecret();

/** The kernel's hash of `input`, which is put at a position that is not aligned. */
function hash(input: Uint8Array, position = 4096 + 5): bigint {
  bytes.set(input, position);
  return BigInt.asUintN(64, kernel.xxh3(position, input.byteLength));
}

function sequence(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => index & 0xff);
}

describe("XXH3-64 of the WebAssembly kernel", () => {
  test.each([
    ["", 0x2d06800538d394c2n],
    ["a", 0xe6c632b61e964e1fn],
    ["abc", 0x78af5f94892f3950n],
    ["hello world", 0xd447b1ea40e6988bn],
  ])("has the published value for the text %p (spec BP 8)", (text, expected) => {
    expect(hash(new TextEncoder().encode(text))).toBe(expected);
  });

  test.each([
    [16, 0x8355e3a6f61770dbn],
    [17, 0x9ef341a99de37328n],
    [128, 0x85c6174c7ff4c46bn],
    [129, 0xec7642b431ba3e5an],
    [240, 0x375a384d957fe865n],
    [241, 0x02e8cd95421c6d02n],
    [1024, 0xa870f92984398d22n],
    [1025, 0x78c86e91ee939852n],
  ])("has the published value for a sequence of %d bytes (spec BP 8)", (sizeBytes, expected) => {
    expect(hash(sequence(sizeBytes))).toBe(expected);
  });

  test.each([
    [
      "3f2b1c4d5e6f4a7b8c9d0e1f2a3b4c5d0000000000000000a08581a09d37060081e479a09d3706000000000005000000000000000000000068656c6c6f",
      0xc5c41534f83a9fe4n,
    ],
    [
      "000102030405060708090a0b0c0d0e0f0100000000000000a08581a09d37060082e479a09d3706001c000000060000000000000000000000" +
        "776f726c642102010000006b02020000007631020100000" +
        "06e0b0400000007000000",
      0x64570e33c03d14ean,
    ],
  ])("has the published value for the covered bytes of a message (spec BP 8)", (hex, expected) => {
    expect(hash(Uint8Array.fromHex(hex))).toBe(expected);
  });

  test("equals Bun's for every length from 0 to 2,500", () => {
    const input = crypto.getRandomValues(new Uint8Array(2500));
    bytes.set(input, 4096);
    for (let sizeBytes = 0; sizeBytes <= input.byteLength; sizeBytes++) {
      // A different start for every length, so that equal prefixes do not hide a fault.
      const start = sizeBytes % 7;
      const actual = BigInt.asUintN(64, kernel.xxh3(4096 + start, sizeBytes - Math.min(start, sizeBytes)));
      const expected = Bun.hash.xxHash3(input.subarray(start, start + sizeBytes - Math.min(start, sizeBytes)));
      if (actual !== expected) throw new Error(`length ${sizeBytes}: ${actual} instead of ${expected}`);
    }
    for (const sizeBytes of [0, 1, 2, 3, 4, 8, 9, 2500]) {
      expect(hash(input.subarray(0, sizeBytes))).toBe(Bun.hash.xxHash3(input.subarray(0, sizeBytes)));
    }
  });

  test.each([65_535, 65_536, 65_537, 131_072 + 1023, 1_000_003])("equals Bun's for %d bytes", (sizeBytes) => {
    const input = new Uint8Array(sizeBytes);
    for (let start = 0; start < sizeBytes; start += 65_536) {
      crypto.getRandomValues(input.subarray(start, Math.min(start + 65_536, sizeBytes)));
    }
    expect(hash(input)).toBe(Bun.hash.xxHash3(input));
  });
});
