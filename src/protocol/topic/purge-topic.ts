// 305 purge topic (spec BP 4.8). Request: stream, topic, each an identifier. Reply: empty.

import { emptyCodec } from "../codec.ts";
import { type TopicTarget, topicTargetCodec } from "../targets.ts";

export type PurgeTopicRequest = TopicTarget;

export const purgeTopicRequestCodec = topicTargetCodec;

export const purgeTopicReplyCodec = emptyCodec;
