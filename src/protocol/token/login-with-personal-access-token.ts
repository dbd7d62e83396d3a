// 44 login with personal access token (spec BP 4.4). Request: name that holds the raw token. Reply: user id u32.

import { recordCodec } from "../codec.ts";
import { nameCodec, u32Codec } from "../primitives.ts";

export type LoginWithPersonalAccessTokenRequest = { readonly token: string };

export const loginWithPersonalAccessTokenRequestCodec = recordCodec<LoginWithPersonalAccessTokenRequest>({
  token: nameCodec,
});

export type LoginWithPersonalAccessTokenReply = { readonly userId: number };

export const loginWithPersonalAccessTokenReplyCodec = recordCodec<LoginWithPersonalAccessTokenReply>({
  userId: u32Codec,
});
