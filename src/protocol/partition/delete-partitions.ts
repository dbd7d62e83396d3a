// 403 delete partitions (spec BP 4.8). Reply: empty.
//
//   stream            identifier
//   topic             identifier
//   partitions count  u32; count not 0 (2015), at most the existing number (2019); checked by the handler

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { u32Codec } from "../primitives.ts";

export type DeletePartitionsRequest = {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitionsCount: number;
};

export const deletePartitionsRequestCodec = recordCodec<DeletePartitionsRequest>({
  stream: identifierCodec,
  topic: identifierCodec,
  partitionsCount: u32Codec,
});

export const deletePartitionsReplyCodec = emptyCodec;
