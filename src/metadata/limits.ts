/**
 * What the operator allows, below what can exist at all. Checked when an event is planned, never when it is applied: a limit
 * that is lowered takes nothing away, and a log from before it still opens.
 */
import { type ErrorName, type ErrorParams, IggyError } from "../protocol/errors.ts";
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

/** The cause of a refusal: the key of the configuration that an operator would have to change. */
export class LimitReached extends Error {
  override readonly name = "LimitReached";
  readonly key: string;

  constructor(key: string) {
    super(`${key} is reached`);
    this.key = key;
  }
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
      throw refusal("CannotCreateConsumerGroupInfo", [groupId, topicId, streamId], "consumer_groups_per_topic");
    }
    case "userCreated":
    case "permissionsUpdated":
      if (fits(entriesOf(event.permissions), limits.permissionsPerUser)) return;
      throw refusal("CannotChangePermissions", [event.userId], "permissions_per_user");
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
  const refuse = (key: string) => refusal("TooManyPartitions", [], key);
  if (!fits(known + added, limits.partitionsPerTopic)) throw refuse("partitions_per_topic");
  if (!fits(state.partitionsCount + added, limits.partitions)) throw refuse("partitions");
  if (limits.partitionsPerStream === 0) return;
  const ofStream = partitionsOf(state.streams.byId.get(streamId));
  if (!fits(ofStream + added, limits.partitionsPerStream)) throw refuse("partitions_per_stream");
}

function refusal(error: ErrorName, params: ErrorParams, key: string): IggyError {
  return new IggyError(error, params, { cause: new LimitReached(`limits.${key}`) });
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
