// 22 get clients (spec BP 4.2). Request: empty. Reply: client headers, in no defined order.

import { type Codec, emptyCodec, listCodec } from "../codec.ts";
import { type ClientHeader, clientHeaderCodec } from "../records/client-header.ts";

export const getClientsRequestCodec = emptyCodec;

export type GetClientsReply = readonly ClientHeader[];

export const getClientsReplyCodec: Codec<GetClientsReply> = listCodec(clientHeaderCodec);
