// Codecs of the commands of our own: what is written is read back, any bytes give a value or an IggyError; and the codes are
// none of the original's.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Codec, decode, decodeStrict, encode } from "../../src/protocol/codec.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorCodes, errorNameOf, IggyError } from "../../src/protocol/errors.ts";
import {
  ExtensionCode,
  type ExtensionName,
  extensionNameOf,
  isPushCode,
  PushCode,
} from "../../src/protocol/extensions/codes.ts";
import { type PollEnding, PollEndingCode } from "../../src/protocol/extensions/poll-waiting.ts";
import {
  endPushCodec,
  messagesPushCodec,
  partitionsPushCodec,
  type SubscriptionEnding,
  SubscriptionEndingCode,
} from "../../src/protocol/extensions/pushes.ts";
import { extensionCodecs } from "../../src/protocol/extensions/registry.ts";
import type { PollMessagesRequest } from "../../src/protocol/message/poll-messages.ts";
import { NewCommandCode } from "../../src/protocol/v09/operations.ts";
import { bytes, commandValues, name, u32, u64 } from "./arbitraries.ts";

type Values = { readonly request: fc.Arbitrary<unknown>; readonly reply: fc.Arbitrary<unknown> };

const assignment = fc.record({ assignmentNumber: u64, partitionIds: fc.array(u32, { maxLength: 5 }) });
const credit = fc.record({ subscriptionId: u32, credit: u32 });

const values: Readonly<Record<ExtensionName, Values>> = {
  getFeatures: {
    request: fc.constant(undefined),
    reply: fc.record({
      features: fc.array(name, { maxLength: 5 }),
      limits: fc.array(fc.record({ name, value: u64 }), { maxLength: 5 }),
    }),
  },
  pollWaiting: {
    request: fc
      .tuple(
        commandValues.pollMessages.request as fc.Arbitrary<object>,
        fc.record({
          waitMs: u32,
          bytesMax: u32,
          knownAssignment: u64,
          positions: fc.array(fc.record({ partitionId: u32, offset: u64 }), { maxLength: 5 }),
        }),
      )
      .map(([poll, waiting]) => ({ ...poll, ...waiting })),
    reply: fc.record({
      ending: fc.constantFrom(...(Object.keys(PollEndingCode) as PollEnding[])),
      assignmentNumber: u64,
      partitionIds: fc.option(fc.array(u32, { maxLength: 5 }), { nil: undefined }),
      polled: commandValues.pollMessages.reply,
    }),
  },
  sendWithReceipt: {
    request: commandValues.sendMessages.request,
    reply: fc.record({ partitionId: u32, firstOffset: u64 }),
  },
  joinWithAssignment: {
    request: commandValues.joinConsumerGroup.request,
    reply: assignment,
  },
  subscribe: {
    request: fc
      .tuple(commandValues.pollMessages.request as fc.Arbitrary<object>, credit)
      .map(([poll, rest]) => ({ ...poll, ...rest })),
    reply: fc.record({ currentOffset: u64 }),
  },
  beginBackup: {
    request: fc.constant(undefined),
    reply: fc.record({
      pointId: name,
      directory: fc.string({ unit: "grapheme" }),
      partitionsCount: u32,
      closed: fc.array(fc.record({ streamId: u32, topicId: u32, partitionId: u32 }), { maxLength: 5 }),
    }),
  },
  keepBackup: { request: fc.record({ pointId: name }), reply: fc.constant(undefined) },
  endBackup: { request: fc.record({ pointId: name }), reply: fc.constant(undefined) },
  addCredit: { request: credit, reply: fc.constant(undefined) },
  unsubscribe: { request: fc.record({ subscriptionId: u32 }), reply: fc.constant(undefined) },
  followPartitions: {
    request: fc
      .tuple(commandValues.pollMessages.request as fc.Arbitrary<PollMessagesRequest>, u32)
      .map(([{ consumer, stream, topic }, subscriptionId]) => ({ subscriptionId, consumer, stream, topic })),
    reply: assignment,
  },
};

/** What comes unasked. */
const pushes: readonly (readonly [string, Codec<unknown>, fc.Arbitrary<unknown>])[] = [
  [
    "messages",
    messagesPushCodec as Codec<unknown>,
    fc.record({ subscriptionId: u32, polled: commandValues.pollMessages.reply }),
  ],
  [
    "end",
    endPushCodec as Codec<unknown>,
    fc.record({
      subscriptionId: u32,
      ending: fc.constantFrom(...(Object.keys(SubscriptionEndingCode) as SubscriptionEnding[])),
      errorCode: u32,
    }),
  ],
  [
    "partitions",
    partitionsPushCodec as Codec<unknown>,
    fc.record({ subscriptionId: u32, assignmentNumber: u64, partitionIds: fc.array(u32, { maxLength: 5 }) }),
  ],
];

const names = Object.keys(ExtensionCode) as ExtensionName[];

function roundTrips<T>(codec: Codec<T>, arbitrary: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(arbitrary, (value) => {
      expect(decodeStrict(codec, encode(codec, value))).toEqual(value);
    }),
  );
}

function isTotal<T>(codec: Codec<T>): void {
  fc.assert(
    fc.property(bytes(200), (input) => {
      try {
        decode(codec, input);
      } catch (error) {
        expect(error).toBeInstanceOf(IggyError);
      }
    }),
    { numRuns: 300 },
  );
}

describe.each(names)("%s", (command) => {
  const codecs: { request: Codec<unknown>; reply: Codec<unknown> } = extensionCodecs[command];

  test("a request is read back as it was written", () => roundTrips(codecs.request, values[command].request));
  test("a reply is read back as it was written", () => roundTrips(codecs.reply, values[command].reply));
  test("any bytes are a request or an error of the protocol", () => isTotal(codecs.request));
  test("any bytes are a reply or an error of the protocol", () => isTotal(codecs.reply));
});

describe.each(pushes)("a push: %s", (_name, codec, arbitrary) => {
  test("is read back as it was written", () => roundTrips(codec, arbitrary));
  test("any bytes are one or an error of the protocol", () => isTotal(codec));
});

test("no push has the number of an error", () => {
  for (const code of Object.values(PushCode)) {
    expect(isPushCode(code)).toBe(true);
    expect(errorNameOf(code)).toBeUndefined();
  }
  for (const code of Object.values(errorCodes)) expect(isPushCode(code)).toBe(false);
  expect(isPushCode(0)).toBe(false);
});

test("no code of our own is one of 0.8 or 0.9, and each has its name", () => {
  const theirs = Math.max(...Object.values(CommandCode), ...Object.values(NewCommandCode));
  for (const command of names) {
    expect(ExtensionCode[command]).toBeGreaterThan(100 * theirs);
    expect(extensionNameOf(ExtensionCode[command])).toBe(command);
  }
  expect(extensionNameOf(1)).toBeUndefined();
});
