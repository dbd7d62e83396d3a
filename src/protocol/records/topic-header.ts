// Topic header (spec BP 3.13): 51 bytes + name.
//
//   0  4  id                     25  8  max topic size in bytes; 2^64 - 1 unlimited
//   4  8  created at, µs         33  1  replication factor
//  12  4  partitions count       34  8  size in bytes
//  16  8  message expiry, µs     42  8  messages count
//  24  1  compression            50  n  name
//
// Message expiry: 2^64 - 1 is "never", 0 an unresolved server default.

import { recordCodec } from "../codec.ts";
import { nameCodec, u8Codec, u32Codec, u64Codec } from "../primitives.ts";
import { type Compression, compressionCodec } from "./enumerations.ts";

export type TopicHeader = {
  readonly id: number;
  readonly createdAtMicros: bigint;
  readonly partitionsCount: number;
  readonly messageExpiryMicros: bigint;
  readonly compression: Compression;
  readonly maxTopicSizeBytes: bigint;
  readonly replicationFactor: number;
  readonly sizeBytes: bigint;
  readonly messagesCount: bigint;
  readonly name: string;
};

export const topicHeaderCodec = recordCodec<TopicHeader>({
  id: u32Codec,
  createdAtMicros: u64Codec,
  partitionsCount: u32Codec,
  messageExpiryMicros: u64Codec,
  compression: compressionCodec,
  maxTopicSizeBytes: u64Codec,
  replicationFactor: u8Codec,
  sizeBytes: u64Codec,
  messagesCount: u64Codec,
  name: nameCodec,
});
