// 204 update stream (spec BP 4.7). Request: stream identifier, then the new name. Reply: empty.

import { emptyCodec, recordCodec } from "../codec.ts";
import { type Identifier, identifierCodec } from "../identifier.ts";
import { nameCodec } from "../primitives.ts";

export type UpdateStreamRequest = { readonly stream: Identifier; readonly name: string };

export const updateStreamRequestCodec = recordCodec<UpdateStreamRequest>({ stream: identifierCodec, name: nameCodec });

export const updateStreamReplyCodec = emptyCodec;
