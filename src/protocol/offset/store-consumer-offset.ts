// 121 store consumer offset (spec BP 4.6). Reply: empty.
//
//   consumer   kind u8, identifier
//   stream     identifier
//   topic      identifier
//   partition  optional partition id
//   offset     u64

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Consumer, consumerCodec } from "../consumer.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { optionalPartitionCodec } from "../optional-partition.ts";
import { u64Codec } from "../primitives.ts";

export type StoreConsumerOffsetRequest = {
  readonly consumer: Consumer;
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitionId: number | undefined;
  readonly offset: bigint;
};

export const storeConsumerOffsetRequestCodec = recordCodec<StoreConsumerOffsetRequest>({
  consumer: consumerCodec,
  stream: identifierCodec,
  topic: identifierCodec,
  partitionId: optionalPartitionCodec,
  offset: u64Codec,
});

export const storeConsumerOffsetReplyCodec = emptyCodec;
