// 302 create topic (spec BP 4.8). Reply: topic details with the resolved values.
//
//   stream              identifier
//   partitions count    u32; 0 to 1000 (2015)
//   compression         u8; 1 or 2 (3)
//   message expiry      u64 µs; 0 = server default, 2^64 - 1 = never
//   max topic size      u64 bytes; 0 = server default, 2^64 - 1 = unlimited
//   replication factor  u8; 0 is stored as 1
//   name                name
//
// The handler checks the partitions count before anything else and then the compression code, so neither is checked here.

import { type Codec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { nameCodec, u8Codec, u32Codec, u64Codec } from "../primitives.ts";
import { type TopicDetails, topicDetailsCodec } from "../records/topic-details.ts";

export type CreateTopicRequest = {
  readonly stream: Identifier;
  readonly partitionsCount: number;
  readonly compressionCode: number;
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  readonly replicationFactor: number;
  readonly name: string;
};

export const createTopicRequestCodec = recordCodec<CreateTopicRequest>({
  stream: identifierCodec,
  partitionsCount: u32Codec,
  compressionCode: u8Codec,
  messageExpiryMicros: u64Codec,
  maxTopicSizeBytes: u64Codec,
  replicationFactor: u8Codec,
  name: nameCodec,
});

export type CreateTopicReply = TopicDetails;

export const createTopicReplyCodec: Codec<CreateTopicReply> = topicDetailsCodec;
