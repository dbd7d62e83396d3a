// 602 create consumer group (spec BP 4.9). Request: stream, topic, each an identifier, then name. Reply: group header with
// members count 0.

import { type Codec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { nameCodec } from "../primitives.ts";
import { type ConsumerGroupHeader, consumerGroupHeaderCodec } from "../records/consumer-group.ts";

export type CreateConsumerGroupRequest = {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly name: string;
};

export const createConsumerGroupRequestCodec = recordCodec<CreateConsumerGroupRequest>({
  stream: identifierCodec,
  topic: identifierCodec,
  name: nameCodec,
});

export type CreateConsumerGroupReply = ConsumerGroupHeader;

export const createConsumerGroupReplyCodec: Codec<CreateConsumerGroupReply> = consumerGroupHeaderCodec;
