// 122 delete consumer offset (spec BP 4.6). Reply: empty.
//
//   consumer   kind u8, identifier
//   stream     identifier
//   topic      identifier
//   partition  optional partition id

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Consumer, consumerCodec } from "../consumer.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { optionalPartitionCodec } from "../optional-partition.ts";

export type DeleteConsumerOffsetRequest = {
  readonly consumer: Consumer;
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitionId: number | undefined;
};

export const deleteConsumerOffsetRequestCodec = recordCodec<DeleteConsumerOffsetRequest>({
  consumer: consumerCodec,
  stream: identifierCodec,
  topic: identifierCodec,
  partitionId: optionalPartitionCodec,
});

export const deleteConsumerOffsetReplyCodec = emptyCodec;
