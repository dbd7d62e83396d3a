// What a user may do: the rights of protocol/permissions.ts, as the broker asks them of its users.
import { IggyError } from "../protocol/errors.ts";
import {
  findStreamPermissions,
  findTopicPermissions,
  isPermitted,
  isPermittedSomewhere,
  type Operation,
} from "../protocol/permissions.ts";
import type { Permissions } from "../protocol/records/permissions.ts";
import type { User } from "./state.ts";

/**
 * Whether `user` may do `operation`, on this stream and topic where it concerns one. Undefined: a user that was deleted while
 * its session went on; it may do nothing.
 */
export function isAllowed(user: User | undefined, operation: Operation, streamId?: number, topicId?: number): boolean {
  return isPermitted(user?.permissions ?? null, operation, streamId, topicId);
}

/** The cause of Unauthorized (41), for the log. */
export class MissingRight extends Error {
  override readonly name = "MissingRight";
  readonly operation: Operation;
  readonly streamId: number | undefined;
  readonly topicId: number | undefined;

  constructor(operation: Operation, streamId: number | undefined, topicId: number | undefined) {
    super(`no right for ${operation}`);
    this.operation = operation;
    this.streamId = streamId;
    this.topicId = topicId;
  }
}

/** Whether there is any stream or topic, of those that the rights name, for which `isAllowed`. */
export function isAllowedSomewhere(user: User | undefined, operation: Operation): boolean {
  return isPermittedSomewhere(user?.permissions ?? null, operation);
}

/** Throws Unauthorized (41) unless `isAllowed`. */
export function requireAllowed(
  user: User | undefined,
  operation: Operation,
  streamId?: number,
  topicId?: number,
): void {
  if (isAllowed(user, operation, streamId, topicId)) return;
  throw new IggyError("Unauthorized", [], { cause: new MissingRight(operation, streamId, topicId) });
}

/** The same permissions without those that name a stream; the very object if there are none. */
export function withoutStream(permissions: Permissions, streamId: number): Permissions {
  if (findStreamPermissions(permissions, streamId) === undefined) return permissions;
  return { ...permissions, streams: permissions.streams.filter((stream) => stream.streamId !== streamId) };
}

/** The same permissions without those that name a topic; the very object if there are none. */
export function withoutTopic(permissions: Permissions, streamId: number, topicId: number): Permissions {
  const ofStream = findStreamPermissions(permissions, streamId);
  if (ofStream === undefined || findTopicPermissions(ofStream, topicId) === undefined) return permissions;
  const streams = permissions.streams.map((stream) =>
    stream.streamId === streamId
      ? { ...stream, topics: stream.topics.filter((topic) => topic.topicId !== topicId) }
      : stream,
  );
  return { ...permissions, streams };
}
