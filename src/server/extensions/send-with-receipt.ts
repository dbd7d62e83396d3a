// The send that says where its messages are (docs/protocol-extensions.md). Everything else is the send of 0.8.
import { encode } from "../../protocol/codec.ts";
import { sendWithReceiptReplyCodec } from "../../protocol/extensions/send-with-receipt.ts";
import type { FrameBuffer, Shard } from "../../shard/index.ts";
import { sendMessagesAt } from "../send-messages.ts";
import type { Session } from "../session.ts";

/** Payload of the reply; the buffer must stay until the promise settles. Errors: those of a send. */
export async function sendWithReceipt(shard: Shard, session: Session, buffer: FrameBuffer): Promise<Uint8Array> {
  const { partitionId, baseOffset } = await sendMessagesAt(shard, session, buffer);
  return encode(sendWithReceiptReplyCodec, { partitionId, firstOffset: BigInt(baseOffset) });
}
