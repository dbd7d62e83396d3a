// 205 purge stream (spec BP 4.7). Request: stream identifier. Reply: empty.

import { emptyCodec } from "../codec.ts";
import { type StreamTarget, streamTargetCodec } from "../targets.ts";

export type PurgeStreamRequest = StreamTarget;

export const purgeStreamRequestCodec = streamTargetCodec;

export const purgeStreamReplyCodec = emptyCodec;
