// The body of a register, and the reply (spec P9 4.2, 15.1).

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ByteWriter } from "../../../src/protocol/byte-writer.ts";
import { decode, decodeStrict, encode } from "../../../src/protocol/codec.ts";
import { longStringCodec, shortStringCodec } from "../../../src/protocol/primitives.ts";
import { packVersion, protocolVersion } from "../../../src/protocol/v09/protocol-version.ts";
import { parseRegister, registerReplyCodec } from "../../../src/protocol/v09/register.ts";
import { encodeRefusal, encodeSuccess, readResultSection } from "../../../src/protocol/v09/result-section.ts";
import { name, text, u32, u64 } from "../arbitraries.ts";
import { codeOf, hex } from "../support.ts";

const client = { version: protocolVersion, sdkName: "rust-sdk", sdkVersion: "0.11.0" };

/** A body: the texts behind the version, then the context. */
function body(version: number, texts: readonly string[], context = ""): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(version);
  for (const each of texts) shortStringCodec.encode(writer, each);
  longStringCodec.encode(writer, context);
  return writer.finish();
}

const login = hex("002c0000 08 727573742d73646b 06 302e31312e30 04 69676779 04 69676779 00000000");

test("the login of the page", () => {
  expect(login).toHaveLength(34);
  expect(parseRegister(login)).toEqual({
    kind: "register",
    request: { ...client, password: { username: "iggy", password: "iggy" } },
  });
});

test("a token", () => {
  expect(parseRegister(body(protocolVersion, ["rust-sdk", "0.11.0", "some-token"]))).toEqual({
    kind: "register",
    request: { ...client, token: "some-token" },
  });
});

test("an empty password and an empty token", () => {
  const withPassword = parseRegister(body(protocolVersion, ["rust-sdk", "0.11.0", "iggy", ""]));
  expect(withPassword).toEqual({
    kind: "register",
    request: { ...client, password: { username: "iggy", password: "" } },
  });
  const withToken = parseRegister(body(protocolVersion, ["rust-sdk", "0.11.0", ""]));
  expect(withToken).toEqual({ kind: "register", request: { ...client, token: "" } });
});

test("bytes that fit both forms are both, but the form that uses them up wins", () => {
  const sdk = [...body(protocolVersion, ["rust-sdk", "0.11.0"]).subarray(0, -4)];
  const parsed = (rest: string) => parseRegister(new Uint8Array([...sdk, ...hex(rest)]));
  const password = { username: "a", password: "" };
  expect(parsed("01 61 00000000")).toEqual({ kind: "register", request: { ...client, token: "a" } });
  expect(parsed("01 61 00 00000000")).toEqual({ kind: "register", request: { ...client, password } });
  expect(parsed("01 61 00 00000000 00")).toEqual({ kind: "register", request: { ...client, password, token: "a" } });
});

describe("what is no login", () => {
  test.each([
    ["nothing", ""],
    ["a short body", "002c0000 01 78"],
    ["nothing after the SDK version", "002c0000 01 78 01 31"],
    ["an empty SDK name", "002c0000 00 01 31 04 69676779 04 69676779 00000000"],
    ["an SDK name that is not UTF-8", "002c0000 01 ff 01 31 04 69676779 04 69676779 00000000"],
    ["an empty user name and a password", "002c0000 01 78 01 31 00 04 69676779 00000000"],
    ["a user name that is not UTF-8", "002c0000 01 78 01 31 04 ffffffff 04 69676779 00000000"],
    ["a cut context", "002c0000 01 78 01 31 04 69676779 04 69676779 000000"],
  ])("%s is malformed", (_, bytes) => {
    expect(parseRegister(hex(bytes))).toEqual({ kind: "malformed" });
  });

  test("the SDK comes before the version, the version before the login", () => {
    const version = packVersion(0, 12, 0);
    expect(parseRegister(hex("00300000 00"))).toEqual({ kind: "malformed" });
    expect(parseRegister(hex("00300000 01 78 01 31"))).toEqual({ kind: "incompatible", version });
    expect(parseRegister(body(version, ["x", "1", "iggy", "iggy"]))).toEqual({ kind: "incompatible", version });
  });
});

test("bytes after a login are passed over", () => {
  expect(parseRegister(new Uint8Array([...login, 0]))).toEqual(parseRegister(login));
});

test("every login is read as what it is", () => {
  fc.assert(
    fc.property(name, name, name, text(), text(), (sdkName, sdkVersion, username, password, context) => {
      const expected = { version: protocolVersion, sdkName, sdkVersion };
      const byPassword = parseRegister(body(protocolVersion, [sdkName, sdkVersion, username, password], context));
      expect(byPassword).toMatchObject({
        kind: "register",
        request: { ...expected, password: { username, password } },
      });
      const byToken = parseRegister(body(protocolVersion, [sdkName, sdkVersion, password], context));
      expect(byToken).toMatchObject({ kind: "register", request: { ...expected, token: password } });
    }),
  );
});

test("any bytes give a result, and nothing is thrown", () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(33), fc.nat(255), (bytes, position, byte) => {
      const changed = login.slice();
      changed[position] = byte;
      for (const input of [bytes, login.subarray(0, position), changed]) kinds.add(parseRegister(input).kind);
    }),
    { numRuns: 300 },
  );
  expect(kinds).toEqual(new Set(["register", "incompatible", "malformed"]));
});

describe("the reply", () => {
  const reply = { userId: 0, session: 1n, protocolVersion, serverVersion: "0.9.0-edge.5" };
  const bytes = hex("00000000 00000000 0100000000000000 002c0000 0c 302e392e302d656467652e35");

  test("that of the page", () => {
    expect(encodeSuccess(encode(registerReplyCodec, reply))).toEqual(bytes);
    const { errorCode, payloadPosition } = readResultSection(bytes);
    expect(errorCode).toBe(0);
    expect(decodeStrict(registerReplyCodec, bytes.subarray(payloadPosition))).toEqual(reply);
  });

  test("any other, and never without a server version", () => {
    const replies = fc.record({ userId: u32, session: u64, protocolVersion: u32, serverVersion: name });
    fc.assert(
      fc.property(replies, (value) => {
        expect(decode(registerReplyCodec, encode(registerReplyCodec, value))).toEqual(value);
      }),
    );
    expect(codeOf(() => encode(registerReplyCodec, { ...reply, serverVersion: "" }))).toBe(4);
  });
});

describe("result section", () => {
  test("a name that is taken: 1012", () => {
    expect(encodeRefusal(1012)).toEqual(hex("01000000 00000000 f4030000"));
    expect(readResultSection(hex("01000000 00000000 f4030000")).errorCode).toBe(1012);
  });

  test("a success without payload is four zero bytes", () => {
    expect(encodeSuccess(new Uint8Array(0))).toEqual(hex("00000000"));
  });

  test("an empty or cut body is 3, as in the clients", () => {
    for (const bytes of ["", "000000", "01000000 00000000 f40300"]) {
      expect(codeOf(() => readResultSection(hex(bytes)))).toBe(3);
    }
  });

  test("codes and payloads are read back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.uint8Array({ maxLength: 20 }), (code, payload) => {
        expect(readResultSection(encodeRefusal(code)).errorCode).toBe(code);
        const { errorCode, payloadPosition } = readResultSection(encodeSuccess(payload));
        expect(errorCode).toBe(0);
        expect(encodeSuccess(payload).subarray(payloadPosition)).toEqual(payload);
      }),
    );
  });
});
