/**
 * What the operator allows, below what can exist at all. Checked when an event is planned, never when it is applied: a limit
 * that is lowered takes nothing away, and a log from before it still opens.
 */
import { IggyError } from "../protocol/errors.ts";
import type { Permissions } from "../protocol/records/permissions.ts";
import type { MetadataEvent } from "./events.ts";
import type { MetadataState, Stream } from "./state.ts";

/** The section `limits` of the configuration; 0: none. */
export interface MetadataLimits {
  readonly partitions: number;
  readonly partitionsPerStream: number;
  readonly partitionsPerTopic: number;
  readonly consumerGroupsPerTopic: number;
  /** Streams and topics that the permissions of one user name. */
  readonly permissionsPerUser: number;
}

/**
 * Throws what the request is answered with where the event, which is planned and not applied, goes beyond a limit:
 * TooManyPartitions (2015), CannotCreateConsumerGroupInfo (5007), CannotChangePermissions (49).
 */
export function requireWithinLimits(state: MetadataState, event: MetadataEvent, limits: MetadataLimits): void {
  switch (event.kind) {
    case "topicCreated":
      requirePartitions(state, event.streamId, 0, event.partitionsCount, limits);
      return;
    case "partitionsCreated": {
      const known = state.streams.byId.get(event.streamId)?.topics.byId.get(event.topicId)?.partitions.length ?? 0;
      requirePartitions(state, event.streamId, known, event.count, limits);
      return;
    }
    case "groupCreated": {
      const { streamId, topicId, groupId } = event;
      const count = state.streams.byId.get(streamId)?.topics.byId.get(topicId)?.groups.byId.size ?? 0;
      if (fits(count + 1, limits.consumerGroupsPerTopic)) return;
      throw new IggyError("CannotCreateConsumerGroupInfo", [groupId, topicId, streamId]);
    }
    case "userCreated":
    case "permissionsUpdated":
      if (fits(entriesOf(event.permissions), limits.permissionsPerUser)) return;
      throw new IggyError("CannotChangePermissions", [event.userId]);
    default:
      return; // makes nothing that there may be too much of
  }
}

/** `known`: partitions that the topic has already; `added`: those that it would get. A topic without any is always allowed. */
function requirePartitions(
  state: MetadataState,
  streamId: number,
  known: number,
  added: number,
  limits: MetadataLimits,
): void {
  if (added === 0) return;
  const ofStream = () => partitionsOf(state.streams.byId.get(streamId));
  const isAllowed =
    fits(known + added, limits.partitionsPerTopic) &&
    fits(state.partitionsCount + added, limits.partitions) &&
    (limits.partitionsPerStream === 0 || fits(ofStream() + added, limits.partitionsPerStream));
  if (!isAllowed) throw new IggyError("TooManyPartitions");
}

function partitionsOf(stream: Stream | undefined): number {
  let count = 0;
  for (const topic of stream?.topics.byId.values() ?? []) count += topic.partitions.length;
  return count;
}

function entriesOf(permissions: Permissions | null): number {
  return permissions?.streams.reduce((sum, { topics }) => sum + 1 + topics.length, 0) ?? 0;
}

function fits(count: number, max: number): boolean {
  return max === 0 || count <= max;
}
