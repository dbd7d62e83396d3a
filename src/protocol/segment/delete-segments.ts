// 503 delete segments (spec BP 4.8). Reply: empty.
//
//   stream          identifier
//   topic           identifier
//   partition       u32
//   segments count  u32

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { u32Codec } from "../primitives.ts";

export type DeleteSegmentsRequest = {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitionId: number;
  readonly segmentsCount: number;
};

export const deleteSegmentsRequestCodec = recordCodec<DeleteSegmentsRequest>({
  stream: identifierCodec,
  topic: identifierCodec,
  partitionId: u32Codec,
  segmentsCount: u32Codec,
});

export const deleteSegmentsReplyCodec = emptyCodec;
