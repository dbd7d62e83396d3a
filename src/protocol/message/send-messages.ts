// 101 send messages (spec BP 4.5). Reply: empty.
//
//   metadata length  u32; size of the next four fields; the rows start at 4 + metadata length
//   stream           identifier
//   topic            identifier
//   partitioning     kind u8, length u8, value
//   messages count   u32
//   index rows       16 x count (spec BP 3.8)
//   messages         rest of the payload (spec BP 3.7)
//
// The server reads only the head (`decodeSendMessagesHead`) and hands rows and messages on as they are. Its errors differ
// from those of other commands: a bad identifier is InvalidIdentifier (6), and names are not checked for UTF-8.

import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { type Codec, emptyCodec } from "../codec.ts";
import { IggyError } from "../errors.ts";
import { type Identifier, IdentifierKind, identifierCodec, numericIdentifierBytes } from "../identifier.ts";
import { indexRowBytes, messageHeaderBytes } from "../message-layout.ts";
import { type Partitioning, partitioningCodec } from "../partitioning.ts";

/** Where a batch goes and how many messages it says it has. `metadataBytes` is the declared metadata length. */
export type SendMessagesHead = {
  readonly metadataBytes: number;
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitioning: Partitioning;
  readonly messagesCount: number;
};

/** The head, and where the index rows and the messages start; the messages end where the payload ends. */
export type LocatedSendMessages = {
  readonly head: SendMessagesHead;
  /** Where the count stands; usually the metadata end behind it. */
  readonly countPosition: number;
  readonly rowsPosition: number;
  readonly messagesPosition: number;
};

/** A message to send. Without an id the server chooses one. */
export type MessageToSend = {
  /** A number, or the 16 bytes as they stand on the wire. */
  readonly id?: bigint | Uint8Array;
  readonly payload: Uint8Array;
  /** Encoded header map (user-headers.ts). */
  readonly userHeaders?: Uint8Array;
  readonly originTimestampMicros?: bigint;
};

export type SendMessagesRequest = {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly partitioning: Partitioning;
  readonly messages: readonly MessageToSend[];
};

const metadataLengthBytes = 4;
const messageIdBytes = 16;
const noBytes = new Uint8Array(0);

// Names that are not UTF-8 match no stream or topic, which gives the "not found" that the original gives.
const lenientUtf8 = new TextDecoder("utf-8", { ignoreBOM: true });

function decodeSendIdentifier(reader: ByteReader): Identifier {
  try {
    const kind = reader.u8();
    const sizeBytes = reader.u8();
    if (kind === IdentifierKind.numeric && sizeBytes === numericIdentifierBytes) {
      return { kind: "numeric", value: reader.u32() };
    }
    if (kind === IdentifierKind.string && sizeBytes > 0) {
      return { kind: "string", value: lenientUtf8.decode(reader.bytes(sizeBytes)) };
    }
  } catch (cause) {
    throw new IggyError("InvalidIdentifier", [], { cause });
  }
  throw new IggyError("InvalidIdentifier");
}

/**
 * Reads the head of a send messages payload that lies in `bytes` from `position` to `end`. Nothing is copied: a
 * partitioning key is a view. Errors (spec BP 4.5): InvalidIdentifier (6) for stream and topic, InvalidCommand (3) for
 * everything else, also when the declared sizes exceed the payload. Batch contents are not looked at.
 */
export function decodeSendMessagesHead(bytes: Uint8Array, position: number, end: number): LocatedSendMessages {
  const payloadBytes = end - position;
  const metadataBytes = new ByteReader(bytes, position, end).u32();
  if (metadataBytes > payloadBytes) throw new IggyError("InvalidCommand");
  const metadataPosition = position + metadataLengthBytes;
  const rowsPosition = metadataPosition + metadataBytes;

  const metadata = new ByteReader(bytes, metadataPosition, Math.min(rowsPosition, end));
  const stream = decodeSendIdentifier(metadata);
  const topic = decodeSendIdentifier(metadata);
  const partitioning = partitioningCodec.decode(metadata);
  const countPosition = metadata.position;
  const messagesCount = metadata.u32();

  // The messages may be empty here, but they cannot begin after the end; that includes 16 x count > payload size.
  const messagesPosition = rowsPosition + indexRowBytes * messagesCount;
  if (messagesPosition > end) throw new IggyError("InvalidCommand");
  const head = { metadataBytes, stream, topic, partitioning, messagesCount };
  return { head, countPosition, rowsPosition, messagesPosition };
}

/** Payload of a send messages request: metadata, rows and messages in one buffer. */
export function encodeSendMessages(request: SendMessagesRequest): Uint8Array {
  let batchBytes = 0;
  for (const message of request.messages) batchBytes += indexRowBytes + sizeOf(message);
  const writer = new ByteWriter(1024 + batchBytes);
  sendMessagesRequestCodec.encode(writer, request);
  return writer.finish();
}

function sizeOf(message: MessageToSend): number {
  requireBytes(message.payload);
  return messageHeaderBytes + message.payload.length + (message.userHeaders?.length ?? 0);
}

/** A text in the place of bytes would be copied as zeros, one for each character. */
function requireBytes(payload: unknown): void {
  if (payload instanceof Uint8Array) return;
  throw new TypeError(`a payload is a Uint8Array, not ${payload === null ? "null" : `a ${typeof payload}`}`);
}

function writeMessage(writer: ByteWriter, message: MessageToSend): void {
  const { id = 0n, payload, userHeaders = noBytes, originTimestampMicros = 0n } = message;
  writer.u64(0n); // checksum: the server's
  if (typeof id === "bigint") {
    writer.u128(id);
  } else {
    if (id.length !== messageIdBytes) throw new IggyError("InvalidIdentifier");
    writer.bytes(id);
  }
  writer.u64(0n); // offset: the server's
  writer.u64(0n); // timestamp: the server's
  writer.u64(originTimestampMicros);
  writer.u32(userHeaders.length);
  writer.u32(payload.length);
  writer.u64(0n); // reserved
  writer.bytes(payload);
  writer.bytes(userHeaders);
}

function readMessage(reader: ByteReader): MessageToSend {
  reader.u64();
  const id = reader.u128();
  reader.bytes(16);
  const originTimestampMicros = reader.u64();
  const userHeadersLength = reader.u32();
  const payloadLength = reader.u32();
  reader.u64();
  const payload = reader.bytes(payloadLength);
  const userHeaders = reader.bytes(userHeadersLength);
  return { id, payload, userHeaders, originTimestampMicros };
}

/**
 * The whole request as objects, for clients, tools and tests; decoding reads the rest of the payload, follows the lengths
 * in the messages and ignores the rows.
 */
export const sendMessagesRequestCodec: Codec<SendMessagesRequest> = {
  encode(writer, request) {
    const start = writer.position;
    writer.u32(0);
    identifierCodec.encode(writer, request.stream);
    identifierCodec.encode(writer, request.topic);
    partitioningCodec.encode(writer, request.partitioning);
    writer.u32(request.messages.length);
    writer.patchU32(start, writer.position - start - metadataLengthBytes);

    let endPosition = 0;
    for (const message of request.messages) {
      endPosition += sizeOf(message);
      writer.u32(0);
      writer.u32(endPosition);
      writer.u64(0n);
    }
    for (const message of request.messages) writeMessage(writer, message);
  },
  decode(reader) {
    const payload = reader.bytes(reader.remaining);
    const { head, messagesPosition } = decodeSendMessagesHead(payload, 0, payload.length);
    const batch = new ByteReader(payload, messagesPosition);
    const messages: MessageToSend[] = [];
    for (let index = 0; index < head.messagesCount; index++) messages.push(readMessage(batch));
    return { stream: head.stream, topic: head.topic, partitioning: head.partitioning, messages };
  },
};

export const sendMessagesReplyCodec = emptyCodec;
