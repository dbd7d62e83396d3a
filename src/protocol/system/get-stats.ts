// 10 get stats (spec BP 4.2). Request: empty. Reply: stats.

import { type Codec, emptyCodec } from "../codec.ts";
import { type Stats, statsCodec } from "../records/stats.ts";

export const getStatsRequestCodec = emptyCodec;

export type GetStatsReply = Stats;

export const getStatsReplyCodec: Codec<GetStatsReply> = statsCodec;
