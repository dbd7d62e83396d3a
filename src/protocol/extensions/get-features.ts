// 200,000 get features (docs/protocol-extensions.md). Request: empty.
//
//   reply
//   features count  u32
//   features        name `str8` each
//   limits count    u32
//   limits          name `str8`, value u64 each
//
// Both lists grow: clients look for the names that they know and ignore all others.

import { type Codec, countedListCodec, emptyCodec, recordCodec } from "../codec.ts";
import { nameCodec, u64Codec } from "../primitives.ts";

/** What a broker can do beyond 0.8, by its name in the reply. */
export type Feature = "long-poll" | "send-receipts" | "group-assignment" | "deduplication" | "subscriptions" | "backup";

/** What bounds it, by its name in the reply. */
export type FeatureLimitName = "wait-ms" | "wait-partitions" | "subscriptions-per-connection" | "push-bytes";

export type FeatureLimit = { readonly name: string; readonly value: bigint };

export type GetFeaturesReply = {
  readonly features: readonly string[];
  readonly limits: readonly FeatureLimit[];
};

export const getFeaturesRequestCodec = emptyCodec;

export const getFeaturesReplyCodec: Codec<GetFeaturesReply> = recordCodec<GetFeaturesReply>({
  features: countedListCodec(nameCodec),
  limits: countedListCodec(recordCodec<FeatureLimit>({ name: nameCodec, value: u64Codec })),
});
