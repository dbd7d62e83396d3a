// The example frames of the specification (tests/golden/specification-frames.json, spec BP 4), read and written again.

import { describe, expect, test } from "bun:test";
import { type Codec, decodeStrict, encode } from "../../src/protocol/codec.ts";
import { commandNameOf } from "../../src/protocol/codes.ts";
import {
  decodeReplyHead,
  decodeRequestHead,
  encodeReplyFrame,
  encodeRequestFrame,
  frameHeaderBytes,
} from "../../src/protocol/frame.ts";
import { detectFrameKind } from "../../src/protocol/frame-detection.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import frames from "../golden/specification-frames.json" with { type: "json" };

function codecsOf(code: number): { request: Codec<unknown>; reply: Codec<unknown> } {
  const command = commandNameOf(code);
  if (command === undefined) throw new Error(`no command has the code ${code}`);
  return commandCodecs[command];
}

const framesOf = (kind: string) =>
  frames.filter((frame) => frame.kind === kind).map(({ name, code, frame }) => [name, code, frame] as const);

test("there are examples of requests and replies", () => {
  expect(framesOf("request").length).toBeGreaterThanOrEqual(20);
  expect(framesOf("reply").length).toBeGreaterThanOrEqual(15);
});

describe("requests", () => {
  test.each(framesOf("request"))("%s", (_, code, hex) => {
    const frame = Uint8Array.fromHex(hex);
    const codec = codecsOf(code).request;
    expect(decodeRequestHead(frame, "sdk")).toEqual({ code, payloadBytes: frame.length - frameHeaderBytes });
    const value = decodeStrict(codec, frame.subarray(frameHeaderBytes));
    expect(encodeRequestFrame(code, encode(codec, value)).toHex()).toBe(hex);
    expect(detectFrameKind(frame)).toBe("sdk");
  });
});

describe("replies", () => {
  test.each(framesOf("reply"))("%s", (_, code, hex) => {
    const frame = Uint8Array.fromHex(hex);
    const codec = codecsOf(code).reply;
    expect(decodeReplyHead(frame)).toEqual({ status: 0, payloadBytes: frame.length - frameHeaderBytes });
    const value = decodeStrict(codec, frame.subarray(frameHeaderBytes));
    expect(encodeReplyFrame(encode(codec, value)).toHex()).toBe(hex);
  });
});
