// 41 get personal access tokens (spec BP 4.4). Request: empty. Reply: token entries of the own user.

import { type Codec, emptyCodec, listCodec } from "../codec.ts";
import { type TokenEntry, tokenEntryCodec } from "../records/token-entry.ts";

export const getPersonalAccessTokensRequestCodec = emptyCodec;

export type GetPersonalAccessTokensReply = readonly TokenEntry[];

export const getPersonalAccessTokensReplyCodec: Codec<GetPersonalAccessTokensReply> = listCodec(tokenEntryCodec);
