// The conversation recorded from a running server 0.8.0 (tests/golden/binary.json), read and written by the codecs.

import { describe, expect, test } from "bun:test";
import { type Codec, decode, decodeStrict, encode } from "../../src/protocol/codec.ts";
import { commandNameOf } from "../../src/protocol/codes.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import record from "../golden/binary.json" with { type: "json" };

/** `payload` is null where a token from an earlier reply is to be sent. */
type Step = {
  readonly name: string;
  readonly code: number;
  readonly payload: string | null;
  readonly status: number;
  readonly reply: string;
};
const steps: readonly Step[] = record.map(({ name, code, payload, status, reply }) => ({
  name,
  code,
  payload,
  status,
  reply,
}));

/** Refused by a check of values after the login check, not by decoding. */
const decidedByHandler = new Set([
  "topic update bad compression",
  "user create bad status",
  "user update bad status",
  "snapshot bad compression",
  "snapshot bad type",
  "snapshot all and another",
]);

/** Batches whose messages do not agree with their lengths: the head decodes, reading the messages as objects fails. */
const brokenBatches = new Set(["send message cut"]);

function codecsOf(code: number): { request: Codec<unknown>; reply: Codec<unknown> } {
  const command = commandNameOf(code);
  if (command === undefined) throw new IggyError("InvalidCommand");
  return commandCodecs[command];
}

function decodingStatus(code: number, payload: string): number {
  try {
    decode(codecsOf(code).request, Uint8Array.fromHex(payload));
    return 0;
  } catch (error) {
    if (error instanceof IggyError) return error.code;
    throw error;
  }
}

test("the record is whole", () => {
  expect(steps).toHaveLength(327);
});

describe("requests", () => {
  for (const step of steps) {
    const { name, code, payload, status } = step;
    if (payload === null || brokenBatches.has(name)) continue;
    const refusedByDecoder = (status === 3 || status === 4) && !decidedByHandler.has(name);
    const expected = refusedByDecoder ? status : 0;
    test(`${name}: decoding gives ${expected}`, () => {
      expect(decodingStatus(code, payload)).toBe(expected);
    });
  }
});

describe("replies", () => {
  const answered = steps.filter(({ status, reply }) => status === 0 && reply !== "");

  test("there are replies of at least 15 commands", () => {
    expect(new Set(answered.map(({ code }) => code)).size).toBeGreaterThanOrEqual(15);
  });

  test.each(answered.map((step) => [step.name, step] as const))("%s: read and written again is the same", (_, step) => {
    const codec = codecsOf(step.code).reply;
    expect(encode(codec, decodeStrict(codec, Uint8Array.fromHex(step.reply))).toHex()).toBe(step.reply);
  });
});
