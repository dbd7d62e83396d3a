// 102 flush unsaved buffer (spec BP 4.5). Reply: empty.
//
//   stream     identifier
//   topic      identifier
//   partition  u32
//   fsync      u8, not 0 = true

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { booleanCodec, u32Codec } from "../primitives.ts";

export type FlushUnsavedBufferRequest = {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitionId: number;
  readonly fsync: boolean;
};

export const flushUnsavedBufferRequestCodec = recordCodec<FlushUnsavedBufferRequest>({
  stream: identifierCodec,
  topic: identifierCodec,
  partitionId: u32Codec,
  fsync: booleanCodec,
});

export const flushUnsavedBufferReplyCodec = emptyCodec;
