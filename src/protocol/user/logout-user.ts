// 39 logout user (spec BP 4.3). Request: empty. Reply: empty.

import { emptyCodec } from "../codec.ts";

export const logoutUserRequestCodec = emptyCodec;

export const logoutUserReplyCodec = emptyCodec;
