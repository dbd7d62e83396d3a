// The body of a send (spec HA 5.1, 5.2) and the frame that is made of it. Parsed in one pass into a few arrays, without an
// object per message; payloads stay parts of the text until their base64 is decoded straight into frame memory.
import { ByteWriter } from "../../../protocol/byte-writer.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { type Identifier, identifierCodec } from "../../../protocol/identifier.ts";
import { messagePayloadBytesMax, partitionKeyBytesMax } from "../../../protocol/limits.ts";
import { IndexRowLayout, indexRowBytes, MessageLayout, messageHeaderBytes } from "../../../protocol/message-layout.ts";
import { type Partitioning, partitioningCodec } from "../../../protocol/partitioning.ts";
import { JsonReader, JsonShapeError } from "../json/reader.ts";
import { base64Bytes, decodeBase64, readUserHeaders, writeBase64 } from "./header-kinds.ts";

const partitioningKinds = ["balanced", "partition_id", "messages_key"] as const;
type PartitioningKind = (typeof partitioningKinds)[number];

const lengthBytes = 4;
const u64Max = 2n ** 64n - 1n;
const u128Max = 2n ** 128n - 1n;

/** By message: the same index in every array. */
export interface SendBody {
  readonly partitioningKind: PartitioningKind;
  readonly partitioningValue: Uint8Array;
  /** Base64. */
  readonly payloads: string[];
  readonly payloadSizes: number[];
  /** 0n: chosen by the server. */
  readonly ids: bigint[];
  readonly headers: (Uint8Array | undefined)[];
}

/** Throws JsonSyntaxError or JsonShapeError. */
export function parseSendBody(text: string): SendBody {
  const reader = new JsonReader(text);
  const payloads: string[] = [];
  const payloadSizes: number[] = [];
  const ids: bigint[] = [];
  const headers: (Uint8Array | undefined)[] = [];
  let partitioning: Pick<SendBody, "partitioningKind" | "partitioningValue"> | undefined;
  let hasMessages = false;
  reader.beginObject();
  for (let name = reader.nextKey(); name !== undefined; name = reader.nextKey()) {
    if (name === "partitioning" && partitioning === undefined) {
      partitioning = readPartitioning(reader);
    } else if (name === "messages" && !hasMessages) {
      hasMessages = true;
      reader.beginArray();
      while (reader.nextElement()) readMessage(reader, payloads, payloadSizes, ids, headers);
    } else if (name === "partitioning" || name === "messages") {
      throw new JsonShapeError(`duplicate field \`${name}\``);
    } else {
      throw new JsonShapeError(`unknown field \`${name}\`, expected \`partitioning\` or \`messages\``);
    }
  }
  reader.end();
  if (partitioning === undefined) throw new JsonShapeError("missing field `partitioning`");
  if (!hasMessages) throw new JsonShapeError("missing field `messages`");
  return { ...partitioning, payloads, payloadSizes, ids, headers };
}

/** Errors: InvalidKeyValueLength (4028), InvalidCommand (3), in the order of spec HA 2.6. */
export function partitioningOf({ partitioningKind, partitioningValue: value }: SendBody): Partitioning {
  const isTooShort = partitioningKind !== "balanced" && value.length === 0;
  if (isTooShort || value.length > partitionKeyBytesMax) throw new IggyError("InvalidKeyValueLength");
  if (partitioningKind === "balanced") return { kind: "balanced" };
  if (partitioningKind === "messages_key") return { kind: "key", key: value };
  if (value.length < lengthBytes) throw new IggyError("InvalidCommand");
  return { kind: "partition", partitionId: Buffer.from(value).readUInt32LE(0) };
}

/** The head of the frame (spec BP 4.5). */
export function encodeHead(
  stream: Identifier,
  topic: Identifier,
  partitioning: Partitioning,
  count: number,
): Uint8Array {
  const writer = new ByteWriter(1024);
  writer.u32(0);
  identifierCodec.encode(writer, stream);
  identifierCodec.encode(writer, topic);
  partitioningCodec.encode(writer, partitioning);
  writer.u32(count);
  writer.patchU32(0, writer.position - lengthBytes);
  return writer.finish();
}

/** Size of the frame behind its head. */
export function batchBytes(body: SendBody): number {
  let sizeBytes = body.payloads.length * (indexRowBytes + messageHeaderBytes);
  for (const payloadBytes of body.payloadSizes) sizeBytes += payloadBytes;
  for (const headers of body.headers) sizeBytes += headers?.length ?? 0;
  return sizeBytes;
}

/** Writes rows and messages from `position` on. Throws JsonShapeError for a payload that is no base64. */
export function writeBatch(memory: Uint8Array, position: number, body: SendBody, nowMicros: number): void {
  const { payloads, payloadSizes, ids, headers } = body;
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  const messagesPosition = position + payloads.length * indexRowBytes;
  let row = position;
  let message = messagesPosition;
  for (let index = 0; index < payloads.length; index++) {
    const payloadBytes = payloadSizes[index]!;
    const userHeaders = headers[index];
    const payloadPosition = message + messageHeaderBytes;
    memory.fill(0, message, payloadPosition);
    const id = ids[index]!;
    if (id !== 0n) {
      view.setBigUint64(message + MessageLayout.id, id & u64Max, true);
      view.setBigUint64(message + MessageLayout.id + 8, id >> 64n, true);
    }
    view.setUint32(message + MessageLayout.originTimestamp, nowMicros >>> 0, true);
    view.setUint32(message + MessageLayout.originTimestamp + 4, Math.floor(nowMicros / 2 ** 32), true);
    view.setUint32(message + MessageLayout.userHeadersLength, userHeaders?.length ?? 0, true);
    view.setUint32(message + MessageLayout.payloadLength, payloadBytes, true);
    const headersPosition = payloadPosition + payloadBytes;
    writeBase64(memory.subarray(payloadPosition, headersPosition), payloads[index]!, "payload");
    message = headersPosition;
    if (userHeaders !== undefined) {
      memory.set(userHeaders, headersPosition);
      message += userHeaders.length;
    }
    memory.fill(0, row, row + indexRowBytes);
    view.setUint32(row + IndexRowLayout.endPosition, message - messagesPosition, true);
    row += indexRowBytes;
  }
}

function readPartitioning(reader: JsonReader): Pick<SendBody, "partitioningKind" | "partitioningValue"> {
  let partitioningKind: PartitioningKind | undefined;
  let partitioningValue: Uint8Array | undefined;
  reader.beginObject();
  for (let name = reader.nextKey(); name !== undefined; name = reader.nextKey()) {
    if (name === "kind") {
      const text = reader.string();
      partitioningKind = partitioningKinds.find((kind) => kind === text);
      if (partitioningKind === undefined) throw new JsonShapeError(`partitioning.kind: unknown variant \`${text}\``);
    } else if (name === "value") {
      partitioningValue = decodeBase64(reader.string(), "partitioning.value");
    } else {
      reader.skipValue();
    }
  }
  if (partitioningKind === undefined) throw new JsonShapeError("partitioning: missing field `kind`");
  if (partitioningValue === undefined) throw new JsonShapeError("partitioning: missing field `value`");
  return { partitioningKind, partitioningValue };
}

function readMessage(
  reader: JsonReader,
  payloads: string[],
  payloadSizes: number[],
  ids: bigint[],
  headers: (Uint8Array | undefined)[],
): void {
  let payload: string | undefined;
  let id = 0n;
  let userHeaders: Uint8Array | undefined;
  reader.beginObject();
  for (let name = reader.nextKey(); name !== undefined; name = reader.nextKey()) {
    if (name === "payload") payload = reader.string();
    else if (name === "id") id = readId(reader);
    else if (name === "user_headers") userHeaders = readUserHeaders(reader);
    else reader.skipValue();
  }
  if (payload === undefined) throw new JsonShapeError("messages: missing field `payload`");
  const payloadBytes = base64Bytes(payload, "payload");
  if (payloadBytes === 0 || payloadBytes > messagePayloadBytesMax) {
    throw new JsonShapeError("Failed to create message: Invalid message payload length");
  }
  payloads.push(payload);
  payloadSizes.push(payloadBytes);
  ids.push(id);
  headers.push(userHeaders);
}

/** Spec HA 5.2. Digits are decimal before they are hexadecimal, as in the original. */
function readId(reader: JsonReader): bigint {
  if (reader.kind() === "number") {
    const text = reader.number();
    const id = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
    if (id === undefined || id > u64Max) throw new JsonShapeError("Invalid message ID: ID must be a positive integer");
    return id;
  }
  if (reader.kind() !== "string") throw new JsonShapeError("Invalid message ID: expected a number or a string");
  const text = reader.string();
  if (/^\+?\d{1,39}$/.test(text)) {
    const id = BigInt(text.replace("+", ""));
    if (id <= u128Max) return id;
  }
  const hex = text.replaceAll("-", "");
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) throw new JsonShapeError("Invalid message ID: no number and no UUID");
  return BigInt(`0x${hex}`);
}
