// 600 get consumer group (spec BP 4.9). Request: stream, topic, group, each an identifier. Reply:
// group details, empty if unknown.

import type { Codec } from "../codec.ts";
import { type ConsumerGroupDetails, consumerGroupDetailsCodec } from "../records/consumer-group.ts";
import { type GroupTarget, groupTargetCodec } from "../targets.ts";

export type GetConsumerGroupRequest = GroupTarget;

export const getConsumerGroupRequestCodec = groupTargetCodec;

export type GetConsumerGroupReply = ConsumerGroupDetails;

export const getConsumerGroupReplyCodec: Codec<GetConsumerGroupReply> = consumerGroupDetailsCodec;
