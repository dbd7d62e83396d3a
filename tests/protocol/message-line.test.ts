// A message as a line of NDJSON.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { encode } from "../../src/protocol/codec.ts";
import { type MessageOfLine, messageLine, uuidText } from "../../src/protocol/message-line.ts";
import { headerString, userHeadersCodec } from "../../src/protocol/user-headers.ts";

const none = new Uint8Array(0);
const text = (value: string) => new TextEncoder().encode(value);

function messageOf(more: Partial<MessageOfLine>): MessageOfLine {
  const times = { timestampMicros: 1_764_378_191_204_113n, originTimestampMicros: 0n };
  return { id: 1n, offset: 12n, ...times, payload: none, userHeaders: none, ...more };
}

describe("a line", () => {
  test("has one shape, whatever reads it", () => {
    const userHeaders = encode(userHeadersCodec, [
      { key: headerString("trace"), value: { kind: "uint128", value: 2n ** 128n - 1n } },
      { key: { kind: "uint8", value: 7 }, value: { kind: "bool", value: true } },
      { key: { kind: "raw", value: Uint8Array.of(255) }, value: { kind: "raw", value: Uint8Array.of(0, 255) } },
      { key: headerString("x"), value: { kind: "float64", value: Number.NaN } },
      { key: headerString("n"), value: { kind: "int32", value: -5 } },
    ]);
    const id = 0x0197f3a26c1e8d529b1a000000000001n;
    expect(messageLine(3, messageOf({ id, payload: text('{"a":"b"}\n'), userHeaders }))).toBe(
      '{"partition":3,"offset":12,"id":"0197f3a2-6c1e-8d52-9b1a-000000000001","timestamp":1764378191204113,"origin_timestamp":0,' +
        '"headers":[{"key":"trace","kind":"uint128","value":"340282366920938463463374607431768211455"},' +
        '{"key":"7","key_kind":"uint8","kind":"bool","value":true},' +
        '{"key_base64":"/w==","kind":"raw","value_base64":"AP8="},' +
        '{"key":"x","kind":"float64","value":"NaN"},{"key":"n","kind":"int32","value":-5}],' +
        '"payload":"{\\"a\\":\\"b\\"}\\n"}\n',
    );
  });

  test("keeps headers that cannot be read, and payloads of any size", () => {
    const payload = new Uint8Array(200_000).fill(0xfe);
    const line = JSON.parse(messageLine(0, messageOf({ payload, userHeaders: Uint8Array.of(99, 1) })));
    expect(line.headers_base64).toBe("YwE=");
    expect(Buffer.from(line.payload_base64, "base64").equals(payload)).toBe(true);
    expect(Object.keys(line)).not.toContain("payload");
  });

  test("is one line of JSON from which every byte comes back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 60 }), (payload, userHeaders) => {
        const line = messageLine(0, messageOf({ payload, userHeaders }));
        expect(line.indexOf("\n")).toBe(line.length - 1);
        const read = JSON.parse(line);
        const bytes =
          typeof read.payload === "string" ? text(read.payload) : Uint8Array.fromBase64(read.payload_base64);
        expect(bytes).toEqual(new Uint8Array(payload));
      }),
    );
  });
});

test("an id is written as a UUID", () => {
  expect(uuidText(0n)).toBe("00000000-0000-0000-0000-000000000000");
  expect(uuidText(2n ** 128n - 1n)).toBe("ffffffff-ffff-ffff-ffff-ffffffffffff");
});
