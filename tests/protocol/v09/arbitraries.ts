// Random values of what the protocol of 0.9 has and 0.8 has not, in the form that decoding gives.

import fc from "fast-check";
import type { BatchRecord } from "../../../src/protocol/v09/batch-record.ts";
import { OptionScopeCode } from "../../../src/protocol/v09/describe-options.ts";
import type { CommandName09 } from "../../../src/protocol/v09/operations.ts";
import type { Option } from "../../../src/protocol/v09/options.ts";
import { AckCode } from "../../../src/protocol/v09/requests.ts";
import { bytes, commandValues, identifier, name, partitioning, text, u8, u32, u64, u128 } from "../arbitraries.ts";

const few = { maxLength: 3 };

const option: fc.Arbitrary<Option> = fc.record({
  key: name,
  kind: fc.integer({ min: 1, max: 255 }),
  value: fc.uint8Array({ minLength: 1, maxLength: 255 }),
});

/** A legal list of options. */
export const optionList = fc.uniqueArray(option, { maxLength: 4, selector: ({ key }) => key });

type Values = fc.Arbitrary<unknown>;
const values08 = commandValues as Record<string, { request: Values; reply: Values }>;
const requestOf = (command: string) => values08[command]!.request;
const replyOf = (command: string) => values08[command]!.reply;

const plus = (base: Values, more: Values) =>
  fc.tuple(base, more).map(([a, b]) => ({ ...(a as object), ...(b as object) }));
const options = fc.record({ options: optionList });
const ack = fc.record({ ack: fc.constantFrom(...(Object.keys(AckCode) as (keyof typeof AckCode)[])) });

/** What 0.9 shows of a topic: the replication factor is not on the wire. */
const shown = fc.record({
  replicationFactor: fc.constant(1),
  options: fc.record({ explicit: optionList, derived: optionList }),
});
const topicDetails = plus(replyOf("getTopic"), shown);
const topicHeaders = fc.array(
  fc.tuple(replyOf("getTopic"), shown).map(([topic, more]) => {
    const { partitions: _, ...header } = topic as { partitions: unknown };
    return { ...header, ...more };
  }),
  few,
);
const streamDetails = fc
  .tuple(replyOf("createStream"), topicHeaders)
  .map(([header, topics]) => ({ ...(header as object), topicsCount: topics.length, topics }));

export const batchRecord: fc.Arbitrary<BatchRecord> = fc.record({
  partitionId: u64,
  baseOffset: u64,
  baseTimestampMicros: u64,
  originTimestampMicros: u64,
  checksum: u64,
  messages: fc.array(
    fc.record({
      checksum: u64,
      id: u128,
      offsetDelta: u32,
      timestampDeltaMicros: u32,
      payload: bytes(40),
      userHeaders: bytes(40),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

const changed = {
  describeOptions: {
    request: fc.record({ scope: fc.constantFrom(...Object.keys(OptionScopeCode)) }),
    reply: fc.array(fc.record({ key: name, kind: u8, defaultValue: bytes(40), description: text() }), few),
  },
  createUser: { request: plus(requestOf("createUser"), options), reply: replyOf("createUser") },
  updateUser: { request: plus(requestOf("updateUser"), options), reply: replyOf("updateUser") },
  pollMessages: {
    request: requestOf("pollMessages"),
    reply: fc.record({ partitionId: u32, currentOffset: u64, records: fc.array(batchRecord, few) }),
  },
  sendMessages: {
    request: fc.record({ stream: identifier, topic: identifier, partitioning, record: batchRecord }),
    reply: fc.array(fc.record({ streamId: u32, topicId: u32, partitionId: u32, baseOffset: u64 }), few),
  },
  storeConsumerOffset: { request: plus(requestOf("storeConsumerOffset"), ack), reply: replyOf("storeConsumerOffset") },
  deleteConsumerOffset: {
    request: plus(requestOf("deleteConsumerOffset"), ack),
    reply: replyOf("deleteConsumerOffset"),
  },
  getStream: { request: requestOf("getStream"), reply: streamDetails },
  createStream: { request: plus(requestOf("createStream"), options), reply: replyOf("createStream") },
  updateStream: { request: plus(requestOf("updateStream"), options), reply: replyOf("updateStream") },
  getTopic: { request: requestOf("getTopic"), reply: topicDetails },
  getTopics: { request: requestOf("getTopics"), reply: topicHeaders },
  createTopic: {
    request: fc.record({ stream: identifier, partitionsCount: u32, name, options: optionList }),
    reply: topicDetails,
  },
  updateTopic: {
    request: fc.record({ stream: identifier, topic: identifier, name, options: optionList }),
    reply: replyOf("updateTopic"),
  },
  syncGroup: {
    request: requestOf("getConsumerGroup"),
    reply: fc.record({ generation: u64, partitionIds: fc.array(u32, few) }),
  },
};

/** Requests and replies of every command of 0.9. */
export const commandValues09: Record<CommandName09, { request: Values; reply: Values }> = {
  ...commandValues,
  ...changed,
};
