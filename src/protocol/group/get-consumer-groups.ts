// 601 get consumer groups (spec BP 4.9). Request: stream, topic, each an identifier. Reply: group headers.

import { type Codec, listCodec } from "../codec.ts";
import { type ConsumerGroupHeader, consumerGroupHeaderCodec } from "../records/consumer-group.ts";
import { type TopicTarget, topicTargetCodec } from "../targets.ts";

export type GetConsumerGroupsRequest = TopicTarget;

export const getConsumerGroupsRequestCodec = topicTargetCodec;

export type GetConsumerGroupsReply = readonly ConsumerGroupHeader[];

export const getConsumerGroupsReplyCodec: Codec<GetConsumerGroupsReply> = listCodec(consumerGroupHeaderCodec);
