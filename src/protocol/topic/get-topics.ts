// 301 get topics (spec BP 4.8). Request: stream identifier. Reply: topic headers in ascending id.

import { type Codec, listCodec } from "../codec.ts";
import { type TopicHeader, topicHeaderCodec } from "../records/topic-header.ts";
import { type StreamTarget, streamTargetCodec } from "../targets.ts";

export type GetTopicsRequest = StreamTarget;

export const getTopicsRequestCodec = streamTargetCodec;

export type GetTopicsReply = readonly TopicHeader[];

export const getTopicsReplyCodec: Codec<GetTopicsReply> = listCodec(topicHeaderCodec);
