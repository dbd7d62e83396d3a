// Partition record (spec BP 3.14): 40 bytes.
//
//   0  4  id                16  8  current offset
//   4  8  created at, µs    24  8  size in bytes
//  12  4  segments count    32  8  messages count

import { recordCodec } from "../codec.ts";
import { u32Codec, u64Codec } from "../primitives.ts";

export type PartitionRecord = {
  readonly id: number;
  readonly createdAtMicros: bigint;
  readonly segmentsCount: number;
  readonly currentOffset: bigint;
  readonly sizeBytes: bigint;
  readonly messagesCount: bigint;
};

export const partitionRecordCodec = recordCodec<PartitionRecord>({
  id: u32Codec,
  createdAtMicros: u64Codec,
  segmentsCount: u32Codec,
  currentOffset: u64Codec,
  sizeBytes: u64Codec,
  messagesCount: u64Codec,
});
