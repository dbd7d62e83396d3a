// Consumer groups and consumer offsets as JSON (spec HA 2.7, 2.8).
import { Type as t } from "@sinclair/typebox";
import type { ConsumerGroupDetails, ConsumerGroupHeader } from "../../../protocol/records/consumer-group.ts";
import { identifierText, identifierValue, object, optional, u32, u32Text, u64 } from "./kinds.ts";

const groupFields = { id: u32, name: t.String(), partitions_count: u32, members_count: u32 };

export const groupHeaderSchema = t.Object(groupFields);
export const groupDetailsSchema = t.Object({
  ...groupFields,
  members: t.Array(t.Object({ id: u32, partitions_count: u32, partitions: t.Array(u32) })),
});
export const groupParams = object({ stream_id: t.String(), topic_id: t.String(), group_id: t.String() });

export const offsetSchema = t.Object({ partition_id: u32, current_offset: u64, stored_offset: u64 });
export const offsetParams = object({ stream_id: t.String(), topic_id: t.String(), consumer_id: t.String() });
export const getOffsetQuery = object({ consumer_id: t.Optional(identifierText), partition_id: t.Optional(u32Text) });
export const deleteOffsetQuery = object({ partition_id: t.Optional(u32Text) });
export const storeOffsetBody = object({
  consumer_id: t.Optional(identifierValue),
  partition_id: optional(u32),
  offset: u64,
});

export function groupHeaderJson(group: ConsumerGroupHeader) {
  return {
    id: group.id,
    name: group.name,
    partitions_count: group.partitionsCount,
    members_count: group.membersCount,
  };
}

export function groupDetailsJson(group: ConsumerGroupDetails) {
  const members = group.members.map(({ id, partitions }) => ({ id, partitions_count: partitions.length, partitions }));
  return { ...groupHeaderJson(group), members };
}
