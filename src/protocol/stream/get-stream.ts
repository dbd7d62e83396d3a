// 200 get stream (spec BP 4.7). Request: stream identifier. Reply: stream details, empty if unknown.

import type { Codec } from "../codec.ts";
import { type StreamDetails, streamDetailsCodec } from "../records/stream-details.ts";
import { type StreamTarget, streamTargetCodec } from "../targets.ts";

export type GetStreamRequest = StreamTarget;

export const getStreamRequestCodec = streamTargetCodec;

export type GetStreamReply = StreamDetails;

export const getStreamReplyCodec: Codec<GetStreamReply> = streamDetailsCodec;
