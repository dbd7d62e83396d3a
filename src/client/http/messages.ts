// Sends and polls as JSON (spec HA 2.6, 5).

import { ByteWriter } from "../../protocol/byte-writer.ts";
import type { Identifier } from "../../protocol/identifier.ts";
import type { PolledMessage, PolledMessages } from "../../protocol/message/poll-messages.ts";
import type { MessageToSend } from "../../protocol/message/send-messages.ts";
import type { Partitioning } from "../../protocol/partitioning.ts";
import { HeaderKindCode } from "../../protocol/user-headers.ts";
import { base64Of, type JsonObject } from "./json.ts";

export function partitioningJson(partitioning: Partitioning): object {
  switch (partitioning.kind) {
    case "balanced":
      return { kind: "balanced", value: "" };
    case "key":
      return { kind: "messages_key", value: base64Of(partitioning.key) };
    case "partition": {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, partitioning.partitionId, true);
      return { kind: "partition_id", value: base64Of(bytes) };
    }
  }
}

/** User headers go as their bytes. Times of the sender have no place there: the server takes its own (spec HA 5.2). */
export function messageJson({ id, payload, userHeaders }: MessageToSend): object {
  return {
    ...(id === undefined ? {} : { id: typeof id === "bigint" ? String(id) : numberOfId(id) }),
    payload: base64Of(payload),
    ...(userHeaders === undefined || userHeaders.length === 0 ? {} : { user_headers: base64Of(userHeaders) }),
  };
}

/** As decimal text: the bytes on the wire begin with the least significant. */
function numberOfId(bytes: Uint8Array): string {
  let id = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) id = (id << 8n) | BigInt(bytes[index] ?? 0);
  return String(id);
}

export function polledMessages(json: JsonObject): PolledMessages {
  return {
    partitionId: json.number("partition_id"),
    currentOffset: json.bigint("current_offset"),
    messages: json.list("messages").map(polledMessage),
  };
}

function polledMessage(json: JsonObject): PolledMessage {
  const header = json.object("header");
  return {
    checksum: header.bigint("checksum"),
    id: header.bigint("id"),
    offset: header.bigint("offset"),
    timestampMicros: header.bigint("timestamp"),
    originTimestampMicros: header.bigint("origin_timestamp"),
    reserved: header.bigint("reserved"),
    payload: json.bytes("payload"),
    userHeaders: json.isText("user_headers") ? json.bytes("user_headers") : headersOf(json.list("user_headers")),
  };
}

/** From kinds and base64 to the block that the binary protocol carries (spec BP 3.9). */
function headersOf(headers: readonly JsonObject[]): Uint8Array {
  const writer = new ByteWriter();
  for (const header of headers) {
    for (const field of [header.object("key"), header.object("value")]) {
      const bytes = field.bytes("value");
      writer.u8(HeaderKindCode[field.oneOf("kind", HeaderKindCode)]);
      writer.u32(bytes.length);
      writer.bytes(bytes);
    }
  }
  return writer.finish();
}

/** As a part of a path or a query. */
export function idText({ value }: Identifier): string {
  return encodeURIComponent(value);
}
