// Two properties of every codec of 0.9: what is written is read back, and any bytes give a value or an IggyError.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ByteReader } from "../../../src/protocol/byte-reader.ts";
import { type Codec, decode, decodeStrict, encode } from "../../../src/protocol/codec.ts";
import { IggyError } from "../../../src/protocol/errors.ts";
import { commandCodecs } from "../../../src/protocol/registry.ts";
import { codecsOf09, commandCodecs09 } from "../../../src/protocol/v09/codecs.ts";
import type { CommandName09 } from "../../../src/protocol/v09/operations.ts";
import { bytes } from "../arbitraries.ts";
import { codeOf } from "../support.ts";
import { commandValues09 } from "./arbitraries.ts";

const commands = Object.keys(commandCodecs09) as CommandName09[];

function check(codec: Codec<unknown>, input: Uint8Array): void {
  try {
    codec.decode(new ByteReader(input));
  } catch (error) {
    expect(error).toBeInstanceOf(IggyError);
  }
}

function roundTrips(codec: Codec<unknown>, values: fc.Arbitrary<unknown>): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(decodeStrict(codec, encode(codec, value))).toEqual(value);
    }),
    { numRuns: 40 },
  );
}

/** Arbitrary bytes, and the bytes of a real value with some changed or cut off. */
function isTotal(codec: Codec<unknown>, values: fc.Arbitrary<unknown>): void {
  fc.assert(
    fc.property(bytes(400), (input) => check(codec, input)),
    { numRuns: 60 },
  );
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(values, changes, (value, list) => {
      const valid = encode(codec, value);
      if (valid.length === 0) return;
      const changed = valid.slice();
      for (const [seed, byte] of list) {
        const position = seed % valid.length;
        check(codec, valid.slice(0, position));
        changed[position] = byte;
        check(codec, changed);
      }
    }),
    { numRuns: 60 },
  );
}

test("the commands are those of 0.8 and the two new ones", () => {
  const expected: readonly string[] = [...Object.keys(commandCodecs), "describeOptions", "syncGroup"];
  expect(new Set<string>(commands)).toEqual(new Set(expected));
});

describe.each(commands)("%s", (command) => {
  const codecs = codecsOf09(command);
  const request: Codec<unknown> = codecs.request;
  const reply: Codec<unknown> = codecs.reply;
  const values = commandValues09[command];

  test("decode(encode(request)) is the request", () => roundTrips(request, values.request));
  test("decode(encode(reply)) is the reply", () => roundTrips(reply, values.reply));
  test("any bytes give a request or an IggyError, nothing else", () => isTotal(request, values.request));
  test("any bytes give a reply or an IggyError, nothing else", () => isTotal(reply, values.reply));
});

describe("bytes after the body", () => {
  const withOptions: readonly CommandName09[] = [
    "createStream",
    "updateStream",
    "createTopic",
    "updateTopic",
    "createUser",
    "updateUser",
  ];

  test.each(withOptions)("of %s are a broken block of options: 3", (command) => {
    const codec: Codec<unknown> = codecsOf09(command).request;
    fc.assert(
      fc.property(commandValues09[command].request, (value) => {
        const longer = new Uint8Array([...encode(codec, value), 0]);
        expect(codeOf(() => decode(codec, longer))).toBe(3);
      }),
      { numRuns: 20 },
    );
  });

  test.each(["storeConsumerOffset", "deleteConsumerOffset"] as const)("%s without its last byte is 3", (command) => {
    const codec: Codec<unknown> = codecsOf09(command).request;
    fc.assert(
      fc.property(commandValues09[command].request, (value) => {
        const body = encode(codec, value);
        expect(codeOf(() => decode(codec, body.subarray(0, -1)))).toBe(3);
        body[body.length - 1] = 2;
        expect(codeOf(() => decode(codec, body))).toBe(3);
      }),
      { numRuns: 20 },
    );
  });
});

test("a topic without options has two empty blocks", () => {
  fc.assert(
    fc.property(commandValues09.getTopic.reply, (value) => {
      const { options: _, ...topic } = value as { options: unknown };
      const codec: Codec<unknown> = codecsOf09("getTopic").reply;
      expect(decodeStrict(codec, encode(codec, topic))).toEqual({ ...topic, options: { explicit: [], derived: [] } });
    }),
    { numRuns: 20 },
  );
});

test("describe options of an unknown scope is 3", () => {
  for (const scope of [0, 4, 255]) {
    expect(codeOf(() => decode(codecsOf09("describeOptions").request, Uint8Array.of(scope)))).toBe(3);
  }
});
