// 1 ping (spec BP 4.2). Request: empty. Reply: empty. Works without login.

import { emptyCodec } from "../codec.ts";

export const pingRequestCodec = emptyCodec;

export const pingReplyCodec = emptyCodec;
