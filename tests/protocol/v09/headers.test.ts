// Headers of the protocol of 0.9: the listed ones byte for byte, and the readers (spec P9 2, 15.1).

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  clientIdOf,
  commandCodeOf,
  EvictionReason,
  type EvictionReasonName,
  encodeEviction,
  frameBytesOf,
  hasRequestChecksum,
  headerBytes,
  headerCommandOf,
  isClientZero,
  isSessionZero,
  operationOf,
  requestChecksumOf,
  writeReplyHeader,
} from "../../../src/protocol/v09/headers.ts";
import { isAcceptedVersion, packVersion, protocolVersion } from "../../../src/protocol/v09/protocol-version.ts";
import { headerOf, requestFrame, someClient } from "./support.ts";

const clientHex = someClient.toHex();

function replyTo(request: Uint8Array, operation: number, status: number, bodyBytes: number): Uint8Array {
  const header = new Uint8Array(headerBytes).fill(0xaa);
  writeReplyHeader(header, 0, request, { operation, status, bodyBytes });
  return header;
}

describe("the headers of the page", () => {
  const ping = headerOf({ 48: "00010000", 60: "05", 128: clientHex, 168: "01", 176: "02", 196: "01" });
  const login = headerOf({ 48: "22010000", 60: "05", 128: clientHex, 144: "95803f2a3c20de8f", 176: "01" });
  const create = headerOf({
    48: "07010000",
    60: "05",
    128: clientHex,
    144: "d7824d64195d7d32",
    168: "01",
    176: "80",
    184: "01",
  });

  test("ping before login", () => {
    expect(requestFrame({ operation: 2, code: 1, request: 1n })).toEqual(ping);
    expect([frameBytesOf(ping), headerCommandOf(ping), operationOf(ping), commandCodeOf(ping)]).toEqual([256, 5, 2, 1]);
    expect([isSessionZero(ping), isClientZero(ping), hasRequestChecksum(ping)]).toEqual([true, false, false]);
    expect(clientIdOf(ping)).toEqual(someClient);
    expect(replyTo(ping, 2, 0, 0)).toEqual(
      headerOf({ 48: "00010000", 60: "08", 160: clientHex, 200: "01", 208: "02" }),
    );
  });

  test("login", () => {
    expect([frameBytesOf(login), operationOf(login), commandCodeOf(login)]).toEqual([290, 1, 0]);
    expect(hasRequestChecksum(login)).toBeTrue();
    expect(requestChecksumOf(login)).toBe(0x8fde203c2a3f8095n);
    // The page shows the original's log position in bytes 176 and 184; 0 is fine (spec P9 2.3).
    expect(replyTo(login, 1, 0, 33)).toEqual(
      headerOf({ 48: "21010000", 60: "08", 128: "95803f2a3c20de8f", 160: clientHex, 208: "01" }),
    );
  });

  test("create stream", () => {
    expect([frameBytesOf(create), operationOf(create)]).toEqual([263, 0x80]);
    expect(isSessionZero(create)).toBeFalse();
    expect(requestChecksumOf(create)).toBe(0x327d5d19644d82d7n);
  });

  test("get streams without login: status 40", () => {
    const request = requestFrame({ operation: 2, code: 201, request: 1n });
    expect(replyTo(request, 2, 40, 0)).toEqual(
      headerOf({ 48: "00010000", 60: "08", 160: clientHex, 200: "01", 208: "02", 216: "28" }),
    );
  });

  test("wrong password: eviction", () => {
    expect(encodeEviction(someClient, "invalidCredentials")).toEqual(
      headerOf({ 48: "00010000", 60: "0d", 128: clientHex, 255: "09" }),
    );
  });

  test("protocol 0.12.0 refused: eviction with the window", () => {
    const window = { newest: protocolVersion, oldest: protocolVersion };
    expect(encodeEviction(someClient, "incompatibleProtocol", window)).toEqual(
      headerOf({ 48: "00010000", 60: "0d", 128: clientHex, 144: "002c0000", 148: "002c0000", 255: "0e" }),
    );
  });
});

describe("evictions", () => {
  test("the reasons are 1 to 15", () => {
    const names = Object.keys(EvictionReason) as EvictionReasonName[];
    expect(names.map((name) => encodeEviction(someClient, name)[255])).toEqual(
      Array.from({ length: 15 }, (_, index) => index + 1),
    );
  });

  test("the client field is never 0", () => {
    for (const client of [undefined, new Uint8Array(16)]) {
      expect(
        encodeEviction(client, "noSession")
          .subarray(128, 144)
          .some((byte) => byte !== 0),
      ).toBeTrue();
    }
  });

  test("other reasons carry no versions", () => {
    const frame = encodeEviction(someClient, "staleClient", { newest: 1, oldest: 1 });
    expect(frame.subarray(144, 152)).toEqual(new Uint8Array(8));
  });
});

describe("properties", () => {
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const fields = fc.record({
    operation: fc.nat(255),
    code: fc.nat(2 ** 31),
    client: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    request: u64,
    session: u64,
    requestChecksum: u64,
    body: fc.uint8Array({ maxLength: 20 }),
  });

  test("the readers find what a client writes, at any position", () => {
    fc.assert(
      fc.property(fields, fc.nat(300), (request, position) => {
        const frame = requestFrame(request);
        const memory = new Uint8Array(position + frame.length);
        memory.set(frame, position);
        expect(frameBytesOf(memory, position)).toBe(256 + request.body.length);
        expect(headerCommandOf(memory, position)).toBe(5);
        expect(operationOf(memory, position)).toBe(request.operation);
        expect(commandCodeOf(memory, position)).toBe(request.code);
        expect(isSessionZero(memory, position)).toBe(request.session === 0n);
        expect(isClientZero(memory, position)).toBe(request.client.every((byte) => byte === 0));
        expect(hasRequestChecksum(memory, position)).toBe(request.requestChecksum !== 0n);
        expect(requestChecksumOf(memory, position)).toBe(request.requestChecksum);
      }),
    );
  });

  test("a reply echoes request checksum, client and number, and touches nothing beside it", () => {
    fc.assert(
      fc.property(fields, fc.nat(20), fc.nat(255), fc.nat(20000), (request, position, operation, status) => {
        const memory = new Uint8Array(position + headerBytes + 8).fill(0x55);
        writeReplyHeader(memory, position, requestFrame(request), { operation, status, bodyBytes: 7 });
        const header = memory.subarray(position, position + headerBytes);
        const view = new DataView(header.buffer, header.byteOffset);
        expect(header.subarray(0, 48)).toEqual(new Uint8Array(48));
        expect([frameBytesOf(header), headerCommandOf(header)]).toEqual([263, 8]);
        expect(view.getBigUint64(128, true)).toBe(request.requestChecksum);
        expect(header.subarray(160, 176)).toEqual(request.client);
        expect(header.subarray(176, 200)).toEqual(new Uint8Array(24));
        expect(view.getBigUint64(200, true)).toBe(request.request);
        expect([header[208], view.getUint32(216, true)]).toEqual([operation, status]);
        expect(header.subarray(220)).toEqual(new Uint8Array(36));
        const beside = [...memory.subarray(0, position), ...memory.subarray(position + headerBytes)];
        expect(beside.every((byte) => byte === 0x55)).toBeTrue();
      }),
    );
  });
});

describe("versions", () => {
  test("0.11.0 is 11264", () => {
    expect(packVersion(0, 11, 0)).toBe(11264);
    expect(protocolVersion).toBe(11264);
  });

  test.each([
    [0, 11, 0, true],
    [0, 11, 9, true],
    [0, 10, 0, false],
    [0, 10, 1023, false],
    [0, 12, 0, false],
    [1, 11, 0, false],
    [4095, 1023, 1023, false],
  ] as const)("%d.%d.%d: accepted %p", (major, minor, patch, accepted) => {
    expect(isAcceptedVersion(packVersion(major, minor, patch))).toBe(accepted);
  });
});
