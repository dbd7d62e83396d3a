// The conversation recorded between released clients of 0.9 and a server of that protocol (tests/golden/conversation-0.9.json),
// read and written by the codecs: every frame, byte for byte but for the fields that differ from run to run.

import { describe, expect, test } from "bun:test";
import { type Codec, decodeStrict, encode } from "../../../src/protocol/codec.ts";
import { IggyError } from "../../../src/protocol/errors.ts";
import { codecsOf09 } from "../../../src/protocol/v09/codecs.ts";
import { detect09 } from "../../../src/protocol/v09/detection.ts";
import {
  clientIdOf,
  commandCodeOf,
  EvictionHeaderLayout,
  EvictionReason,
  type EvictionReasonName,
  encodeEviction,
  frameBytesMax,
  frameBytesOf,
  HeaderCommand,
  HeaderLayout,
  headerBytes,
  headerCommandOf,
  isClientZero,
  operationOf,
  ReplyHeaderLayout,
  RequestHeaderLayout,
  requestChecksumOf,
  writeReplyHeader,
} from "../../../src/protocol/v09/headers.ts";
import { operationFor, type Request09, requestOf } from "../../../src/protocol/v09/operations.ts";
import { protocolVersion } from "../../../src/protocol/v09/protocol-version.ts";
import { parseRegister, registerReplyCodec } from "../../../src/protocol/v09/register.ts";
import { encodeRefusal, encodeSuccess, readResultSection } from "../../../src/protocol/v09/result-section.ts";
import record from "../../golden/conversation-0.9.json" with { type: "json" };
import { codeOf } from "../support.ts";
import { requestFrame, u32At } from "./support.ts";

type Line = {
  readonly part: string;
  readonly step: string;
  readonly from: string;
  readonly connection?: string;
  readonly frame?: string;
};

type Exchange = { readonly name: string; readonly request: Uint8Array; readonly reply: Uint8Array | undefined };

/** A request and what came back on the same connection; no reply where the original was silent or closed. */
function exchanges(): Exchange[] {
  const lines: readonly Line[] = record.filter(({ part }) => part !== "http");
  const found: Exchange[] = [];
  const open = new Map<string, { name: string; request: Uint8Array }>();
  for (const [index, { part, step, from, connection, frame }] of lines.entries()) {
    const key = `${part} ${connection}`;
    if (from === "client") {
      if (frame === undefined) throw new Error(`a client without a frame: ${step}`);
      open.set(key, { name: `${index} ${part}: ${step}`, request: Uint8Array.fromHex(frame) });
      continue;
    }
    const question = open.get(key);
    if (question === undefined) throw new Error(`an answer without a question: ${step}`);
    found.push({ ...question, reply: frame === undefined ? undefined : Uint8Array.fromHex(frame) });
    open.delete(key);
  }
  return found;
}

const all = exchanges();
const named = all.map((exchange) => [exchange.name, exchange] as const);

/** Steps whose frame is refused by its header alone. */
const brokenHeaders: Readonly<Record<string, string>> = {
  "size 65 MiB": "size",
  "command 1 (protocol ping)": "command",
};
/** Steps whose body does not decode, and the error. */
const brokenBodies: Readonly<Record<string, number>> = {
  "trailing byte in create stream": 3,
  "send, two counts differ": 3,
  "send, no messages": 4009,
};
const malformedLogins = ["login with an empty body", "login with a short body", "login with a prefix only"];
const stepOf = (name: string) => name.slice(name.indexOf(": ") + 2);

function bodyOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(headerBytes);
}

function asked(request: Uint8Array): Request09 {
  return requestOf(operationOf(request), commandCodeOf(request));
}

function withoutCluster(frame: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(frame).fill(0, HeaderLayout.cluster, HeaderLayout.size);
}

/** The reply with zeros where the original writes what is its own: cluster, client, log positions, time. */
function comparable(reply: Uint8Array): Uint8Array {
  const copy = withoutCluster(reply);
  copy.fill(0, ReplyHeaderLayout.client, ReplyHeaderLayout.request);
  return copy;
}

test("the record is whole", () => {
  expect(record).toHaveLength(484);
  expect(all).toHaveLength(226);
  expect(all.filter(({ reply }) => reply === undefined).map(({ name }) => stepOf(name))).toHaveLength(11);
});

describe("requests", () => {
  test.each(named)("%s", (name, { request }) => {
    const step = stepOf(name);
    if (step in brokenHeaders) {
      const isTooLarge = frameBytesOf(request) > frameBytesMax;
      expect(isTooLarge ? "size" : "command").toBe(brokenHeaders[step] ?? "");
      expect(detect09(request)).toBe("broken");
      return;
    }
    expect(detect09(request)).toBe("yes");
    expect(frameBytesOf(request)).toBe(request.length);
    const view = new DataView(request.buffer, request.byteOffset);
    const frame = requestFrame({
      operation: operationOf(request),
      code: commandCodeOf(request),
      client: clientIdOf(request),
      request: view.getBigUint64(RequestHeaderLayout.request, true),
      session: view.getBigUint64(RequestHeaderLayout.session, true),
      requestChecksum: requestChecksumOf(request),
      body: bodyOf(request),
    });
    expect(frame.toHex()).toBe(request.toHex());
    expect(isClientZero(request)).toBe(step === "client id 0");

    const what = asked(request);
    if (what.kind === "register") {
      const result = parseRegister(bodyOf(request));
      const expected = malformedLogins.includes(step) ? "malformed" : "register";
      expect(result.kind).toBe(expected);
      if (result.kind === "register") expect(result.request.version).toBe(protocolVersion);
      return;
    }
    if (what.kind !== "command") return;
    const codec: Codec<unknown> = codecsOf09(what.name).request;
    const expected = brokenBodies[step] ?? 0;
    expect(codeOf(() => decodeStrict(codec, bodyOf(request)))).toBe(expected);
    if (expected === 0)
      expect(encode(codec, decodeStrict(codec, bodyOf(request))).toHex()).toBe(bodyOf(request).toHex());
  });

  test("those that name no command are refused as the page says", () => {
    const refused = new Map<string, Request09>();
    for (const { name, request } of all) {
      const what = asked(request);
      if (what.kind !== "command" && what.kind !== "register") refused.set(stepOf(name), what);
    }
    expect(Object.fromEntries(refused)).toEqual({
      "legacy login code 38": { kind: "evict", reason: "malformedLogin" },
      "legacy token login code 44": { kind: "evict", reason: "malformedLogin" },
      "unknown operation 200": { kind: "refuse", error: "InvalidCommand" },
      "operation 0": { kind: "refuse", error: "InvalidCommand" },
      "unknown code 9999": { kind: "refuse", error: "InvalidCommand" },
      "poll routing (code 103)": { kind: "refuse", error: "InvalidCommand" },
      "code 9999": { kind: "refuse", error: "InvalidCommand" },
      "code 202 as operation 2": { kind: "refuse", error: "FeatureUnavailable" },
    });
  });

  test("nearly every command is asked for", () => {
    const names = new Set(
      all.map(({ request }) => asked(request)).flatMap((what) => (what.kind === "command" ? [what.name] : [])),
    );
    expect(names.size).toBeGreaterThanOrEqual(40);
  });
});

test("every request cut anywhere, or with any byte changed, gives a value or an IggyError", () => {
  let refused = 0;
  const bodies = new Map<string, { what: Request09; body: Uint8Array }>();
  for (const { request } of all) {
    const body = bodyOf(request);
    bodies.set(`${operationOf(request)} ${commandCodeOf(request)} ${body.toHex()}`, { what: asked(request), body });
  }
  for (const { what, body } of bodies.values()) {
    const read = (input: Uint8Array): unknown => {
      if (what.kind === "register") return parseRegister(input);
      return what.kind === "command" && decodeStrict<unknown>(codecsOf09(what.name).request, input);
    };
    for (let position = 0; position < body.length; position++) {
      const changed = body.slice();
      for (const byte of [0x00, 0xff, body[position]! ^ 1, body[position]! ^ 0x80]) {
        changed[position] = byte;
        if (codeOf(() => read(changed)) !== 0) refused++;
      }
      if (codeOf(() => read(body.subarray(0, position))) !== 0) refused++;
    }
  }
  expect(refused).toBeGreaterThan(1000);
});

/** Body of the reply to a command or register, read and written again. */
function writtenAgain(what: Request09, body: Uint8Array): Uint8Array {
  if (what.kind !== "command" && what.kind !== "register") return new Uint8Array(0);
  const codec: Codec<unknown> = what.kind === "register" ? registerReplyCodec : codecsOf09(what.name).reply;
  const isFramed = what.kind === "register" || what.isFramed;
  if (!isFramed) return body.length === 0 ? body : encode(codec, decodeStrict(codec, body));
  const { errorCode, payloadPosition } = readResultSection(body);
  if (errorCode !== 0) return encodeRefusal(errorCode);
  return encodeSuccess(encode(codec, decodeStrict(codec, body.subarray(payloadPosition))));
}

describe("replies", () => {
  const answered = named.filter(([, { reply }]) => reply !== undefined);

  test.each(answered)("%s", (_, { request, reply }) => {
    if (reply === undefined) throw new IggyError("EmptyResponse");
    expect(frameBytesOf(reply)).toBe(reply.length);
    if (headerCommandOf(reply) === HeaderCommand.eviction) {
      const code = reply[EvictionHeaderLayout.reason];
      const reason = (Object.keys(EvictionReason) as EvictionReasonName[]).find((key) => EvictionReason[key] === code);
      const versions = { newest: protocolVersion, oldest: protocolVersion };
      // The original names a number of its own where there is no session (spec P9 4.1).
      const client = reply.subarray(EvictionHeaderLayout.client, EvictionHeaderLayout.newestVersion);
      if (reason !== "noSession") expect(client).toEqual(clientIdOf(request));
      expect(encodeEviction(client, reason ?? "sessionError", versions).toHex()).toBe(withoutCluster(reply).toHex());
      return;
    }

    const what = asked(request);
    const status = u32At(reply, ReplyHeaderLayout.status);
    const operation = reply[ReplyHeaderLayout.operation]!;
    // The original answers some operations with another one; so does the table, with another choice (spec P9 5.3).
    const own = what.kind === "command" ? [operationFor(what.name), what.replyOperation] : [operationOf(request)];
    const renamed: Readonly<Record<number, number>> = { 64: 132, 65: 136 };
    expect(own).toContain(renamed[operation] ?? operation);

    const body = status === 0 ? writtenAgain(what, bodyOf(reply)) : new Uint8Array(0);
    const written = new Uint8Array(headerBytes + body.length);
    writeReplyHeader(written, 0, request, { operation, status, bodyBytes: body.length });
    written.set(body, headerBytes);
    // The original forgets the checksum when it turns delete segments into an operation of its own; nobody reads it.
    if (operation === 68) written.fill(0, ReplyHeaderLayout.requestChecksum, ReplyHeaderLayout.context);
    expect(comparable(written).toHex()).toBe(comparable(reply).toHex());
  });
});
