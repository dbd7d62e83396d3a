// 402 create partitions (spec BP 4.8). Reply: empty.
//
//   stream            identifier
//   topic             identifier
//   partitions count  u32; count 1 to 1000, else TooManyPartitions (2015); checked by the handler

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { u32Codec } from "../primitives.ts";

export type CreatePartitionsRequest = {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitionsCount: number;
};

export const createPartitionsRequestCodec = recordCodec<CreatePartitionsRequest>({
  stream: identifierCodec,
  topic: identifierCodec,
  partitionsCount: u32Codec,
});

export const createPartitionsReplyCodec = emptyCodec;
