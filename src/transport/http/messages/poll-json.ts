// The answer of a poll as JSON (spec HA 5.3), written from the bytes of the messages without an object per message. A large
// answer is made while the client takes it: forty clients that read nothing must not fill the memory.
import { readSync } from "node:fs";
import { MessageLayout, messageHeaderBytes } from "../../../protocol/message-layout.ts";
import type { PollReply } from "../../../server/index.ts";
import type { ReplyPart } from "../../../shard/index.ts";
import { userHeadersJson } from "./header-kinds.ts";

/** Answers up to this size of messages are made at once. */
const wholeBytesMax = 1024 * 1024;
/** Messages are read in pieces of this size for larger ones. */
const pieceBytes = 256 * 1024;

const jsonHeaders = { "content-type": "application/json" };

/**
 * The answer; the read is released when its bytes are no longer needed, also when the client goes away. `onSent` is told the
 * size of each piece that the client takes of a large answer; a small one has its size in a header.
 */
export function pollResponse(reply: PollReply, onSent: (sizeBytes: number) => void): Response {
  const { partitionId, read } = reply;
  const head = `{"partition_id":${partitionId},"current_offset":${read.currentOffset},"count":${read.messagesCount},"messages":[`;
  if (read.sizeBytes > wholeBytesMax) return new Response(stream(head, reply, onSent), { headers: jsonHeaders });
  try {
    const bytes = Buffer.allocUnsafe(read.sizeBytes);
    new PartReader(read.parts).readAt(0, bytes);
    const json = `${head}${messagesJson(bytes, 0, read.sizeBytes, true).json}]}`;
    return new Response(json, { headers: { ...jsonHeaders, "content-length": String(json.length) } });
  } finally {
    read.release();
  }
}

/** JSON of the whole messages between two positions, separated by commas; `end` is where the first that is cut begins. */
export function messagesJson(
  bytes: Buffer,
  start: number,
  limit: number,
  isFirst: boolean,
): { readonly json: string; readonly end: number } {
  let json = "";
  let position = start;
  let separator = isFirst ? "" : ",";
  while (position + messageHeaderBytes <= limit) {
    const headersBytes = bytes.readUInt32LE(position + MessageLayout.userHeadersLength);
    const payloadBytes = bytes.readUInt32LE(position + MessageLayout.payloadLength);
    const payloadPosition = position + messageHeaderBytes;
    const headersPosition = payloadPosition + payloadBytes;
    const end = headersPosition + headersBytes;
    if (end > limit) break;
    json += `${separator}{"header":{"checksum":${u64Text(bytes, position + MessageLayout.checksum)},"id":${u128Text(bytes, position + MessageLayout.id)},"offset":${u64Text(bytes, position + MessageLayout.offset)},"timestamp":${u64Text(bytes, position + MessageLayout.timestamp)},"origin_timestamp":${u64Text(bytes, position + MessageLayout.originTimestamp)},"user_headers_length":${headersBytes},"payload_length":${payloadBytes},"reserved":${u64Text(bytes, position + MessageLayout.reserved)}},"payload":"${bytes.toString("base64", payloadPosition, headersPosition)}","user_headers":${userHeadersJson(bytes, headersPosition, end)}}`;
    separator = ",";
    position = end;
  }
  return { json, end: position };
}

function u64Text(bytes: Buffer, position: number): string {
  const high = bytes.readUInt32LE(position + 4);
  if (high < 2 ** 21) return String(high * 2 ** 32 + bytes.readUInt32LE(position));
  return String(bytes.readBigUInt64LE(position));
}

function u128Text(bytes: Buffer, position: number): string {
  const high = bytes.readBigUInt64LE(position + 8);
  if (high === 0n) return u64Text(bytes, position);
  return String((high << 64n) | bytes.readBigUInt64LE(position));
}

/** Reads at any position of a reply, whatever parts it consists of. */
class PartReader {
  readonly #parts: readonly ReplyPart[];

  constructor(parts: readonly ReplyPart[]) {
    this.#parts = parts;
  }

  /** Fills the target from `position` on; how many bytes there were. */
  readAt(position: number, target: Uint8Array): number {
    let filledBytes = 0;
    let partStart = 0;
    for (const part of this.#parts) {
      const sizeBytes = part.kind === "bytes" ? part.bytes.byteLength : part.sizeBytes;
      const skipBytes = position + filledBytes - partStart;
      const count = Math.min(sizeBytes - skipBytes, target.byteLength - filledBytes);
      if (count > 0) copyPart(part, skipBytes, target.subarray(filledBytes, filledBytes + count));
      if (count > 0) filledBytes += count;
      if (filledBytes === target.byteLength) break;
      partStart += sizeBytes;
    }
    return filledBytes;
  }
}

function copyPart(part: ReplyPart, skipBytes: number, target: Uint8Array): void {
  if (part.kind === "bytes") {
    target.set(part.bytes.subarray(skipBytes, skipBytes + target.byteLength));
    return;
  }
  const count = readSync(part.fd, target, 0, target.byteLength, part.position + skipBytes);
  if (count !== target.byteLength) throw new Error(`a file that is being sent ends before position ${part.position}`);
}

/** Only used inside one pull: a client that does not read must not keep a buffer. */
const scratch = Buffer.allocUnsafe(pieceBytes);

/** JSON of the messages that begin at `start` and fit a piece, or of the one that is larger; `end` is behind the last. */
function pieceAt(parts: PartReader, start: number, isFirst: boolean): { readonly json: string; readonly end: number } {
  const usedBytes = parts.readAt(start, scratch);
  const piece = messagesJson(scratch, 0, usedBytes, isFirst);
  if (piece.end > 0 || usedBytes === 0) return { json: piece.json, end: start + piece.end };
  if (usedBytes < messageHeaderBytes) throw new Error("the last message of an answer is cut");
  const sizeBytes =
    messageHeaderBytes +
    scratch.readUInt32LE(MessageLayout.userHeadersLength) +
    scratch.readUInt32LE(MessageLayout.payloadLength);
  const whole = Buffer.allocUnsafe(sizeBytes);
  if (parts.readAt(start, whole) < sizeBytes) throw new Error("the last message of an answer is cut");
  return { json: messagesJson(whole, 0, sizeBytes, isFirst).json, end: start + sizeBytes };
}

function stream(head: string, { read }: PollReply, onSent: (sizeBytes: number) => void): ReadableStream<Uint8Array> {
  const parts = new PartReader(read.parts);
  let position = 0;
  let isReleased = false;
  const release = () => {
    if (!isReleased) read.release();
    isReleased = true;
  };
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        try {
          const { json, end } = pieceAt(parts, position, position === 0);
          const isLast = end === read.sizeBytes;
          const piece = Buffer.from(`${position === 0 ? head : ""}${json}${isLast ? "]}" : ""}`, "latin1");
          position = end;
          onSent(piece.length);
          controller.enqueue(piece);
          if (isLast) {
            release();
            controller.close();
          }
        } catch (error) {
          release();
          throw error;
        }
      },
      cancel: release,
    },
    { highWaterMark: 0 },
  );
}
