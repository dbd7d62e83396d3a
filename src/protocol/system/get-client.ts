// 21 get client (spec BP 4.2). Request: client id u32, not 0 (101, checked by the handler). Reply: client details, empty
// if unknown.

import { type Codec, recordCodec } from "../codec.ts";
import { u32Codec } from "../primitives.ts";
import { type ClientDetails, clientDetailsCodec } from "../records/client-header.ts";

export type GetClientRequest = { readonly clientId: number };

export const getClientRequestCodec = recordCodec<GetClientRequest>({ clientId: u32Codec });

export type GetClientReply = ClientDetails;

export const getClientReplyCodec: Codec<GetClientReply> = clientDetailsCodec;
