import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ReplyAssembler } from "../../src/client/connection/reply-assembler.ts";
import { encodeErrorFrame, encodeReplyFrame } from "../../src/protocol/frame.ts";

type Reply = { readonly status: number; readonly payload: readonly number[] };

function assemble(chunks: readonly Uint8Array[]): Reply[] {
  const replies: Reply[] = [];
  const assembler = new ReplyAssembler((status, payload) => replies.push({ status, payload: [...payload] }));
  for (const chunk of chunks) {
    const passing = new Uint8Array(chunk); // a copy; Buffer.slice would be a view
    assembler.push(passing);
    passing.fill(0xee); // what arrived may be reused afterwards
  }
  return replies;
}

const stream = Buffer.concat([
  encodeReplyFrame(Uint8Array.of(1, 2, 3)),
  encodeErrorFrame(1009),
  encodeReplyFrame(new Uint8Array(0)),
  encodeReplyFrame(Uint8Array.from({ length: 40 }, (_, index) => index)),
]);
const expected: Reply[] = [
  { status: 0, payload: [1, 2, 3] },
  { status: 1009, payload: [] },
  { status: 0, payload: [] },
  { status: 0, payload: Array.from({ length: 40 }, (_, index) => index) },
];

describe("replies out of a byte stream", () => {
  test("whole", () => {
    expect(assemble([stream])).toEqual(expected);
  });

  test("byte by byte", () => {
    expect(assemble([...stream].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  test("split at every position", () => {
    for (let position = 0; position <= stream.length; position++) {
      expect(assemble([stream.subarray(0, position), stream.subarray(position)])).toEqual(expected);
    }
  });

  test("any replies in any chunks come out as they went in", () => {
    const reply = fc.uint8Array({ maxLength: 60 });
    const cuts = fc.array(fc.nat(400), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 6 }), cuts, (payloads, positions) => {
        const bytes = Buffer.concat(payloads.map((payload) => encodeReplyFrame(payload)));
        const sorted = [0, ...positions.filter((position) => position < bytes.length).sort((a, b) => a - b)];
        const chunks = sorted.map((position, index) => bytes.subarray(position, sorted[index + 1] ?? bytes.length));
        expect(assemble(chunks)).toEqual(payloads.map((payload) => ({ status: 0, payload: [...payload] })));
      }),
    );
  });

  test("a payload above the limit is refused before memory is taken for it", () => {
    const assembler = new ReplyAssembler(() => undefined, 10);
    expect(() => assembler.push(encodeReplyFrame(new Uint8Array(11)))).toThrow("Invalid format");
  });
});
