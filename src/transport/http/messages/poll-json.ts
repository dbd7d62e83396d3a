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
    readPieces(new PartReader(read.parts), bytes);
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

/** Reads the parts of a reply one after the other. */
class PartReader {
  readonly #parts: readonly ReplyPart[];
  #index = 0;
  #position = 0;

  constructor(parts: readonly ReplyPart[]) {
    this.#parts = parts;
  }

  /** Fills the target as far as one part goes; 0 at the end. */
  read(target: Uint8Array): number {
    for (;;) {
      const part = this.#parts[this.#index];
      if (part === undefined) return 0;
      const sizeBytes = part.kind === "bytes" ? part.bytes.byteLength : part.sizeBytes;
      const count = Math.min(sizeBytes - this.#position, target.byteLength);
      if (count > 0) {
        this.#copy(part, target.subarray(0, count));
        this.#position += count;
        return count;
      }
      if (target.byteLength === 0) return 0;
      this.#index++;
      this.#position = 0;
    }
  }

  #copy(part: ReplyPart, target: Uint8Array): void {
    if (part.kind === "bytes") {
      target.set(part.bytes.subarray(this.#position, this.#position + target.byteLength));
      return;
    }
    const count = readSync(part.fd, target, 0, target.byteLength, part.position + this.#position);
    if (count !== target.byteLength) throw new Error(`a file that is being sent ends before position ${part.position}`);
  }
}

/** Fills the buffer from as many parts as it takes. */
function readPieces(parts: PartReader, target: Buffer): number {
  let position = 0;
  for (;;) {
    const count = parts.read(target.subarray(position));
    if (count === 0) return position;
    position += count;
  }
}

function stream(head: string, { read }: PollReply, onSent: (sizeBytes: number) => void): ReadableStream<Uint8Array> {
  const parts = new PartReader(read.parts);
  let buffer = Buffer.allocUnsafe(pieceBytes);
  let usedBytes = 0;
  let isFirst = true;
  let isReleased = false;
  const release = () => {
    if (!isReleased) read.release();
    isReleased = true;
  };
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        try {
          for (;;) {
            usedBytes += readPieces(parts, buffer.subarray(usedBytes));
            const { json, end } = messagesJson(buffer, 0, usedBytes, isFirst);
            if (end === 0 && usedBytes === buffer.length) {
              // One message is larger than the buffer.
              buffer = Buffer.concat([buffer], buffer.length * 2);
              continue;
            }
            buffer.copyWithin(0, end, usedBytes);
            usedBytes -= end;
            const isLast = end === 0;
            if (isLast && usedBytes > 0) throw new Error("the last message of an answer is cut");
            const piece = Buffer.from(`${isFirst ? head : ""}${json}${isLast ? "]}" : ""}`, "latin1");
            onSent(piece.length);
            controller.enqueue(piece);
            isFirst = false;
            if (isLast) {
              release();
              controller.close();
            }
            return;
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
