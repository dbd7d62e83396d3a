// 120 get consumer offset (spec BP 4.6). Reply: consumer offset, or empty if nothing is stored or something is unknown.
//
//   consumer   kind u8, identifier
//   stream     identifier
//   topic      identifier
//   partition  optional partition id

import { type Codec, recordCodec } from "../codec.ts";
import { type Consumer, consumerCodec } from "../consumer.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { optionalPartitionCodec } from "../optional-partition.ts";
import { type ConsumerOffset, consumerOffsetCodec } from "../records/consumer-offset.ts";

export type GetConsumerOffsetRequest = {
  readonly consumer: Consumer;
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitionId: number | undefined;
};

export const getConsumerOffsetRequestCodec = recordCodec<GetConsumerOffsetRequest>({
  consumer: consumerCodec,
  stream: identifierCodec,
  topic: identifierCodec,
  partitionId: optionalPartitionCodec,
});

export type GetConsumerOffsetReply = ConsumerOffset;

export const getConsumerOffsetReplyCodec: Codec<GetConsumerOffsetReply> = consumerOffsetCodec;
