// 300 get topic (spec BP 4.8). Request: stream, topic, each an identifier. Reply: topic details, empty if unknown.

import type { Codec } from "../codec.ts";
import { type TopicDetails, topicDetailsCodec } from "../records/topic-details.ts";
import { type TopicTarget, topicTargetCodec } from "../targets.ts";

export type GetTopicRequest = TopicTarget;

export const getTopicRequestCodec = topicTargetCodec;

export type GetTopicReply = TopicDetails;

export const getTopicReplyCodec: Codec<GetTopicReply> = topicDetailsCodec;
