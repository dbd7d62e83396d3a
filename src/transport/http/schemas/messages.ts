// Messages as JSON (spec HA 5), for the document: both bodies are read and written by hand (messages/).
import { Type as t } from "@sinclair/typebox";
import { HeaderKindCode } from "../../../protocol/user-headers.ts";
import type { SentMessages } from "../../../server/index.ts";
import { boolText, identifierText, object, oneOfTexts, optional, u32, u32Text, u64, u64Text } from "./kinds.ts";

const base64 = t.String({ format: "byte", contentEncoding: "base64" });
const headerKinds = Object.keys(HeaderKindCode) as (keyof typeof HeaderKindCode)[];
const headerField = t.Object({ kind: oneOfTexts(headerKinds), value: base64 });
const headers = t.Array(t.Object({ key: headerField, value: headerField }));

export const pollKinds = {
  offset: "offset",
  o: "offset",
  timestamp: "timestamp",
  t: "timestamp",
  first: "first",
  f: "first",
  last: "last",
  l: "last",
  next: "next",
  n: "next",
} as const;

export const pollQuery = object({
  consumer_id: t.Optional(identifierText),
  partition_id: t.Optional(u32Text),
  kind: t.Optional(oneOfTexts(Object.keys(pollKinds) as (keyof typeof pollKinds)[])),
  value: t.Optional(u64Text),
  count: t.Optional(u32Text),
  auto_commit: t.Optional(boolText),
});

export const eventsQuery = object({
  consumer_id: t.Optional(identifierText),
  kind: t.Optional(oneOfTexts(Object.keys(pollKinds) as (keyof typeof pollKinds)[])),
  value: t.Optional(u64Text),
});

export const eventsSchema = t.String({ description: "Server-Sent Events." });

export const polledSchema = t.Object({
  partition_id: u32,
  current_offset: u64,
  count: u32,
  messages: t.Array(
    t.Object({
      header: t.Object({
        checksum: u64,
        id: t.Integer({ minimum: 0, description: "Up to 39 digits." }),
        offset: u64,
        timestamp: u64,
        origin_timestamp: u64,
        user_headers_length: u32,
        payload_length: u32,
        reserved: u64,
      }),
      payload: base64,
      user_headers: t.Union([headers, base64]),
    }),
  ),
});

export const sendSchema = t.Object(
  {
    partitioning: object({
      kind: oneOfTexts(["balanced", "partition_id", "messages_key"]),
      value: t.String({
        format: "byte",
        contentEncoding: "base64",
        description: "Nothing; a partition id as four bytes, little-endian; a key of 1 to 255 bytes.",
      }),
    }),
    messages: t.Array(
      object({
        id: t.Optional(
          t.Union([t.Integer({ minimum: 0 }), t.String({ description: "A decimal number or a UUID." })], {
            description: "0 or missing: the server makes one.",
          }),
        ),
        payload: t.String({ format: "byte", contentEncoding: "base64", minLength: 4 }),
        user_headers: optional(t.Union([headers, base64])),
      }),
      { minItems: 1 },
    ),
  },
  { additionalProperties: false },
);

/** Where a batch is; one at present. */
export const confirmationsSchema = t.Object({
  confirmations: t.Array(t.Object({ stream_id: u32, topic_id: u32, partition_id: u32, base_offset: u64 })),
});

export function confirmationsJson({ streamId, topicId, partitionId, baseOffset }: SentMessages) {
  return {
    confirmations: [{ stream_id: streamId, topic_id: topicId, partition_id: partitionId, base_offset: baseOffset }],
  };
}

export const flushParams = object({
  stream_id: t.String(),
  topic_id: t.String(),
  partition_id: u32Text,
  fsync: oneOfTexts(["true", "false", "fsync=true", "fsync=false"]),
});
