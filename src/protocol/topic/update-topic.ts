// 304 update topic (spec BP 4.8). Reply: empty.
//
//   stream              identifier
//   topic               identifier
//   compression         u8; 1 or 2 (3), checked by the handler
//   message expiry      u64 µs; 0 = server default, 2^64 - 1 = never
//   max topic size      u64 bytes; 0 = server default, 2^64 - 1 = unlimited
//   replication factor  u8; 0 is stored as 1
//   name                name; new or same

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { nameCodec, u8Codec, u64Codec } from "../primitives.ts";

export type UpdateTopicRequest = {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly compressionCode: number;
  readonly messageExpiryMicros: bigint;
  readonly maxTopicSizeBytes: bigint;
  readonly replicationFactor: number;
  readonly name: string;
};

export const updateTopicRequestCodec = recordCodec<UpdateTopicRequest>({
  stream: identifierCodec,
  topic: identifierCodec,
  compressionCode: u8Codec,
  messageExpiryMicros: u64Codec,
  maxTopicSizeBytes: u64Codec,
  replicationFactor: u8Codec,
  name: nameCodec,
});

export const updateTopicReplyCodec = emptyCodec;
