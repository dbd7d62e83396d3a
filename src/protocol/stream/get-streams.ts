// 201 get streams (spec BP 4.7). Request: empty. Reply: stream headers in ascending id.

import { type Codec, emptyCodec, listCodec } from "../codec.ts";
import { type StreamHeader, streamHeaderCodec } from "../records/stream-header.ts";

export const getStreamsRequestCodec = emptyCodec;

export type GetStreamsReply = readonly StreamHeader[];

export const getStreamsReplyCodec: Codec<GetStreamsReply> = listCodec(streamHeaderCodec);
