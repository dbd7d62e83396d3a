// 303 delete topic (spec BP 4.8). Request: stream, topic, each an identifier. Reply: empty.

import { emptyCodec } from "../codec.ts";
import { type TopicTarget, topicTargetCodec } from "../targets.ts";

export type DeleteTopicRequest = TopicTarget;

export const deleteTopicRequestCodec = topicTargetCodec;

export const deleteTopicReplyCodec = emptyCodec;
