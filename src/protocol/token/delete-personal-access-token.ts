// 43 delete personal access token (spec BP 4.4). Request: name. Reply: empty.

import { emptyCodec, recordCodec } from "../codec.ts";
import { nameCodec } from "../primitives.ts";

export type DeletePersonalAccessTokenRequest = { readonly name: string };

export const deletePersonalAccessTokenRequestCodec = recordCodec<DeletePersonalAccessTokenRequest>({
  name: nameCodec,
});

export const deletePersonalAccessTokenReplyCodec = emptyCodec;
