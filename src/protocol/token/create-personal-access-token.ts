// 42 create personal access token (spec BP 4.4). Reply: the raw token as `str8`.
//
//   name    name; 3 to 30 bytes (50), checked by the handler
//   expiry  u64 µs from now; 0 or 2^64 - 1 = never

import { recordCodec } from "../codec.ts";
import { nameCodec, shortStringCodec, u64Codec } from "../primitives.ts";

export type CreatePersonalAccessTokenRequest = { readonly name: string; readonly expiryMicros: bigint };

export const createPersonalAccessTokenRequestCodec = recordCodec<CreatePersonalAccessTokenRequest>({
  name: nameCodec,
  expiryMicros: u64Codec,
});

export type CreatePersonalAccessTokenReply = { readonly token: string };

export const createPersonalAccessTokenReplyCodec = recordCodec<CreatePersonalAccessTokenReply>({
  token: shortStringCodec,
});
