// 200,002 send with receipt (docs/protocol-extensions.md). Request: as 101 send messages. Reply: partition id u32, offset of the
// first message u64.

import { type Codec, recordCodec } from "../codec.ts";
import { sendMessagesRequestCodec } from "../message/send-messages.ts";
import { u32Codec, u64Codec } from "../primitives.ts";

/** Where the messages of a send are: one behind the other, in the order of the request. */
export type SendReceipt = { readonly partitionId: number; readonly firstOffset: bigint };

export const sendWithReceiptRequestCodec = sendMessagesRequestCodec;

export const sendWithReceiptReplyCodec: Codec<SendReceipt> = recordCodec<SendReceipt>({
  partitionId: u32Codec,
  firstOffset: u64Codec,
});
