// How much a poll of 0.9 may bring (spec P9 3): clients read frames up to a size, and records need more room than messages.
import { messageHeaderBytes } from "../../protocol/message-layout.ts";
import type { Transport } from "../../protocol/records/enumerations.ts";
import { batchHeaderBytes, messageFrameBytes, pollReplyHeadBytes } from "../../protocol/v09/batch-layout.ts";
import { frameBytesMax, headerBytes } from "../../protocol/v09/headers.ts";

/** Over QUIC the Rust client reads no more of a reply. */
const quicFrameBytesMax = 10_000_000;
/** What a message has more as a record of its own. */
const growthBytes = batchHeaderBytes + messageFrameBytes - messageHeaderBytes;
const growthFactorMax = (batchHeaderBytes + messageFrameBytes) / messageHeaderBytes;

/** Most bytes of stored messages in a reply with up to `count`, each perhaps a record of its own. */
export function pollBytesMax09(transport: Transport, count: number): number {
  const limit = transport === "quic" ? quicFrameBytesMax : frameBytesMax;
  const recordsBytesMax = limit - headerBytes - pollReplyHeadBytes;
  return Math.max(recordsBytesMax - count * growthBytes, Math.floor(recordsBytesMax / growthFactorMax));
}
