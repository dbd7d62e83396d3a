// What is pushed to a subscriber, as frames (docs/protocol-extensions.md). Each is handed to the output as a whole, so that it
// stands between two replies, never inside one.
import { encode } from "../protocol/codec.ts";
import { PushCode } from "../protocol/extensions/codes.ts";
import {
  type EndPush,
  endPushCodec,
  type PartitionsPush,
  partitionsPushCodec,
  subscriptionIdBytes,
} from "../protocol/extensions/pushes.ts";
import { frameHeaderBytes, writeReplyHead } from "../protocol/frame.ts";
import { pollReplyHeadBytes } from "../protocol/message-layout.ts";
import type { ShardRead } from "../shard/index.ts";
import type { Output } from "./output.ts";
import { writePrefixedPoll } from "./reply-writer.ts";

/** Only used inside one call. */
const idBytes = new Uint8Array(subscriptionIdBytes);
const idView = new DataView(idBytes.buffer);

/** Size of the payload of a push of messages. */
export function pushBytes({ sizeBytes }: ShardRead): number {
  return subscriptionIdBytes + pollReplyHeadBytes + sizeBytes;
}

/** Messages, as places in open files: the same way as those of a poll. Releases the read when they are sent. */
export function writeMessagesPush(output: Output, subscriptionId: number, partitionId: number, read: ShardRead): void {
  idView.setUint32(0, subscriptionId, true);
  writePrefixedPoll(output, { partitionId, read }, idBytes, PushCode.messages);
}

export function writeEndPush(output: Output, end: EndPush): void {
  writeFrame(output, PushCode.end, encode(endPushCodec, end));
}

export function writePartitionsPush(output: Output, push: PartitionsPush): void {
  writeFrame(output, PushCode.partitions, encode(partitionsPushCodec, push));
}

function writeFrame(output: Output, code: number, payload: Uint8Array): void {
  const frame = new Uint8Array(frameHeaderBytes + payload.byteLength);
  writeReplyHead(new DataView(frame.buffer), 0, code, payload.byteLength);
  frame.set(payload, frameHeaderBytes);
  output.write(frame);
}
