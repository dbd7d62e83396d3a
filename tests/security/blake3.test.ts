import { expect, test } from "bun:test";
import { AssertionError } from "../../src/platform/assert.ts";
import { blake3Hex } from "../../src/security/blake3.ts";

/** As in the vectors of the reference implementation: bytes that count up and start again after 250. */
function countingBytes(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, place) => place % 251);
}

test.each([
  [0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"],
  [1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"],
  [2, "7b7015bb92cf0b318037702a6cdd81dee41224f734684c2c122cd6359cb1ee63"],
  [63, "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b"],
  [64, "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98"],
  [65, "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee"],
  [68, "8720b909015d7a29af3dd7a06f78729449f07bbcb56df6954c032c0920491406"],
  [127, "d81293fda863f008c09e92fc382a81f5a0b4a1251cba1634016a0f86a6bd640d"],
  [128, "f17e570564b26578c33bb7f44643f539624b05df1a76c81f30acd548c44b45ef"],
  [129, "683aaae9f3c5ba37eaaf072aed0f9e30bac0865137bae68b1fde4ca2aebdcb12"],
  [255, "cb97b80a66306dd2d4f1ab7ff9fd17d3d62d88c974e8daf0ea9fbd0b1ae1b1c1"],
  [1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"],
  [1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"],
])("%d bytes hash as in the reference implementation", (sizeBytes, hash) => {
  expect(blake3Hex(countingBytes(sizeBytes))).toBe(hash);
});

test("a text is hashed as UTF-8", () => {
  expect(blake3Hex("abc")).toBe("6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
  expect(blake3Hex("ü")).toBe(blake3Hex(new TextEncoder().encode("ü")));
});

test("the input stays as it is", () => {
  const bytes = countingBytes(100);
  blake3Hex(bytes);
  expect(bytes).toEqual(countingBytes(100));
});

test("more than one chunk is refused rather than hashed wrongly", () => {
  expect(() => blake3Hex(countingBytes(1025))).toThrow(AssertionError);
});
