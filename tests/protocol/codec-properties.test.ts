// Two properties of every codec: what is written is read back, and any bytes give a value or an IggyError.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ByteReader } from "../../src/protocol/byte-reader.ts";
import { type Codec, decode, decodeStrict, encode } from "../../src/protocol/codec.ts";
import { CommandCode, type CommandName, payloadSizes } from "../../src/protocol/codes.ts";
import { consumerCodec } from "../../src/protocol/consumer.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { identifierCodec } from "../../src/protocol/identifier.ts";
import { optionalPartitionCodec } from "../../src/protocol/optional-partition.ts";
import { partitioningCodec } from "../../src/protocol/partitioning.ts";
import { permissionsCodec } from "../../src/protocol/records/permissions.ts";
import { commandCodecs } from "../../src/protocol/registry.ts";
import { bytes, commandValues, consumer, identifier, partitioning, permissions, u32 } from "./arbitraries.ts";

const commands = Object.keys(CommandCode) as CommandName[];

function roundTrips<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(decodeStrict(codec, encode(codec, value))).toEqual(value);
    }),
    { numRuns: 40 },
  );
}

/** Decodes arbitrary bytes, and bytes of a real value with one of them changed or cut off. */
function isTotal<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  const check = (input: Uint8Array) => {
    try {
      codec.decode(new ByteReader(input));
    } catch (error) {
      expect(error).toBeInstanceOf(IggyError);
    }
  };
  fc.assert(fc.property(bytes(120), check), { numRuns: 60 });
  fc.assert(
    fc.property(values, fc.nat(), fc.nat(255), (value, seed, byte) => {
      const valid = encode(codec, value);
      if (valid.length === 0) return;
      const position = seed % valid.length;
      check(valid.slice(0, position));
      const changed = valid.slice();
      changed[position] = byte;
      check(changed);
    }),
    { numRuns: 40 },
  );
}

test("each of the 47 commands has a request codec, a reply codec and payload sizes", () => {
  expect(commands).toHaveLength(47);
  expect(Object.keys(commandCodecs).toSorted()).toEqual(commands.toSorted());
  expect(Object.keys(payloadSizes).toSorted()).toEqual(commands.toSorted());
});

describe.each(commands)("%s", (command) => {
  const request: Codec<unknown> = commandCodecs[command].request;
  const reply: Codec<unknown> = commandCodecs[command].reply;
  const values = commandValues[command];

  test("decode(encode(request)) is the request", () => roundTrips(request, values.request));
  test("decode(encode(reply)) is the reply", () => roundTrips(reply, values.reply));
  test("any bytes give a request or an IggyError, nothing else", () => isTotal(request, values.request));
  test("any bytes give a reply or an IggyError, nothing else", () => isTotal(reply, values.reply));

  test("an encoded request lies within the payload sizes of the command", () => {
    fc.assert(
      fc.property(values.request, (value) => {
        const { bytesMin, bytesMax } = payloadSizes[command];
        const sizeBytes = encode(request, value).length;
        const isEmptyBatch = command === "sendMessages" && sizeBytes < bytesMin;
        if (!isEmptyBatch) expect(sizeBytes).toBeGreaterThanOrEqual(bytesMin);
        expect(sizeBytes).toBeLessThanOrEqual(bytesMax);
      }),
      { numRuns: 40 },
    );
  });

  test("trailing bytes after a request are ignored", () => {
    fc.assert(
      fc.property(values.request, bytes(8), (value, tail) => {
        const payload = encode(request, value);
        const longer = new Uint8Array(payload.length + tail.length);
        longer.set(payload);
        longer.set(tail, payload.length);
        expect(decode(request, longer)).toEqual(value);
      }),
      { numRuns: 20 },
    );
  });
});

describe("shared parts", () => {
  test("identifier", () => {
    roundTrips(identifierCodec, identifier);
    isTotal(identifierCodec, identifier);
  });
  test("consumer", () => {
    roundTrips(consumerCodec, consumer);
    isTotal(consumerCodec, consumer);
  });
  test("partitioning", () => {
    roundTrips(partitioningCodec, partitioning);
    isTotal(partitioningCodec, partitioning);
  });
  test("optional partition", () => {
    const values = fc.option(u32, { nil: undefined });
    roundTrips(optionalPartitionCodec, values);
    isTotal(optionalPartitionCodec, values);
  });
  test("permissions", () => {
    roundTrips(permissionsCodec, permissions);
    isTotal(permissionsCodec, permissions);
  });
});
