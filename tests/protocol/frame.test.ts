import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CommandCode, commandNameOf } from "../../src/protocol/codes.ts";
import {
  decodeReplyHead,
  decodeRequestHead,
  encodeErrorFrame,
  encodeReplyFrame,
  encodeRequestFrame,
  type FrameKind,
  frameHeaderBytes,
  writeReplyHead,
} from "../../src/protocol/frame.ts";
import { bytes, u32 } from "./arbitraries.ts";
import { codeOf, hex } from "./support.ts";

describe("request frame", () => {
  test("a ping of an SDK counts the code, a ping of the page does not", () => {
    expect(encodeRequestFrame(1, new Uint8Array(0)).toHex()).toBe("0400000001000000");
    expect(encodeRequestFrame(1, new Uint8Array(0), "page").toHex()).toBe("0100000000000000");
  });

  test("the head is read back for both kinds at any position", () => {
    fc.assert(
      fc.property(
        u32,
        bytes(50),
        fc.constantFrom<FrameKind>("sdk", "page"),
        bytes(9),
        (code, payload, kind, before) => {
          const frame = encodeRequestFrame(code, payload, kind);
          const buffer = new Uint8Array([...before, ...frame]);
          expect(decodeRequestHead(buffer, kind, before.length)).toEqual({ code, payloadBytes: payload.length });
          expect(buffer.subarray(before.length + frameHeaderBytes)).toEqual(payload);
        },
      ),
    );
  });

  test("an SDK frame with a length below 4 has a negative payload size", () => {
    expect(decodeRequestHead(hex("0300000001000000"), "sdk").payloadBytes).toBe(-1);
  });
});

describe("reply frame", () => {
  test("success without data is eight zero bytes", () => {
    expect(encodeReplyFrame(new Uint8Array(0)).toHex()).toBe("0000000000000000");
  });

  test("an error reply is the code and no payload", () => {
    expect(encodeErrorFrame(40).toHex()).toBe("2800000000000000");
    expect(decodeReplyHead(encodeErrorFrame(1009))).toEqual({ status: 1009, payloadBytes: 0 });
  });

  test("a head can be written into the caller's buffer", () => {
    const buffer = new Uint8Array(10);
    writeReplyHead(new DataView(buffer.buffer), 2, 0, 300);
    expect(buffer.toHex()).toBe("0000000000002c010000");
    expect(decodeReplyHead(buffer, 2)).toEqual({ status: 0, payloadBytes: 300 });
  });

  test("a head that is cut is InvalidCommand", () => {
    expect(codeOf(() => decodeReplyHead(new Uint8Array(7)))).toBe(3);
  });
});

describe("codes", () => {
  test("each code names its command and no other number does", () => {
    for (const [name, code] of Object.entries(CommandCode)) expect(commandNameOf(code) ?? "none").toBe(name as "ping");
    for (const code of [0, 2, 9, 23, 30, 40, 103, 206, 400, 401, 404, 606, 2 ** 32 - 1]) {
      expect(commandNameOf(code)).toBeUndefined();
    }
  });
});
