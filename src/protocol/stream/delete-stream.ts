// 203 delete stream (spec BP 4.7). Request: stream identifier. Reply: empty.

import { emptyCodec } from "../codec.ts";
import { type StreamTarget, streamTargetCodec } from "../targets.ts";

export type DeleteStreamRequest = StreamTarget;

export const deleteStreamRequestCodec = streamTargetCodec;

export const deleteStreamReplyCodec = emptyCodec;
