// 202 create stream (spec BP 4.7). Request: name. Reply: stream header with all counters 0.

import { type Codec, recordCodec } from "../codec.ts";
import { nameCodec } from "../primitives.ts";
import { type StreamHeader, streamHeaderCodec } from "../records/stream-header.ts";

export type CreateStreamRequest = { readonly name: string };

export const createStreamRequestCodec = recordCodec<CreateStreamRequest>({ name: nameCodec });

export type CreateStreamReply = StreamHeader;

export const createStreamReplyCodec: Codec<CreateStreamReply> = streamHeaderCodec;
