// 20 get me (spec BP 4.2). Request: empty. Reply: client details of this connection.

import { type Codec, emptyCodec } from "../codec.ts";
import { type ClientDetails, clientDetailsCodec } from "../records/client-header.ts";

export const getMeRequestCodec = emptyCodec;

export type GetMeReply = ClientDetails;

export const getMeReplyCodec: Codec<GetMeReply> = clientDetailsCodec;
