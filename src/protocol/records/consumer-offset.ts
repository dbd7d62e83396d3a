// Consumer offset (spec BP 3.19): partition id u32, current offset of the partition u64, stored offset u64.

import { recordCodec } from "../codec.ts";
import { u32Codec, u64Codec } from "../primitives.ts";

export type ConsumerOffset = {
  readonly partitionId: number;
  readonly currentOffset: bigint;
  readonly storedOffset: bigint;
};

export const consumerOffsetCodec = recordCodec<ConsumerOffset>({
  partitionId: u32Codec,
  currentOffset: u64Codec,
  storedOffset: u64Codec,
});
