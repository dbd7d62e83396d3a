// 32 get users (spec BP 4.3). Request: empty. Reply: user headers.

import { type Codec, emptyCodec, listCodec } from "../codec.ts";
import { type UserHeader, userHeaderCodec } from "../records/user-header.ts";

export const getUsersRequestCodec = emptyCodec;

export type GetUsersReply = readonly UserHeader[];

export const getUsersReplyCodec: Codec<GetUsersReply> = listCodec(userHeaderCodec);
