// 200,002 send with receipt (docs/protocol-extensions.md). Request: as 101 send messages. Reply: partition id u32, offset of the
// first message u64. Here only the reply: who sends with a batch of its own needs no codec of whole requests.

import { type Codec, recordCodec } from "../codec.ts";
import { u32Codec, u64Codec } from "../primitives.ts";

/** Where the messages of a send are: one behind the other, in the order of the request. */
export type SendReceipt = { readonly partitionId: number; readonly firstOffset: bigint };

export const sendWithReceiptReplyCodec: Codec<SendReceipt> = recordCodec<SendReceipt>({
  partitionId: u32Codec,
  firstOffset: u64Codec,
});
