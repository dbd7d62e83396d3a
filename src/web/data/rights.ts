// What the user who is signed in may do, by the broker's own table: what may not be done is not offered. The broker decides all the
// same.
import { isPermitted, isPermittedSomewhere, type Operation, type Permissions } from "../../client/console-client.ts";
import { session } from "./session.ts";

/** Null: nobody is signed in, or without any right. */
export function ownPermissions(): Permissions | null {
  const { value } = session;
  return value.kind === "signedIn" ? value.session.permissions : null;
}

/** Whether the rights allow to see something. */
export function may(operation: Operation, streamId?: number, topicId?: number): boolean {
  return isPermitted(ownPermissions(), operation, streamId, topicId);
}

/** Whether there is anything that the rights allow to see. */
export function maySomewhere(operation: Operation): boolean {
  return isPermittedSomewhere(ownPermissions(), operation);
}

/** Whether this session changes nothing. */
export function isReadOnly(): boolean {
  const { value } = session;
  return value.kind === "signedIn" && value.session.readOnly;
}

/** Whether the rights, and the session, allow to change something. */
export function mayChange(operation: Operation, streamId?: number, topicId?: number): boolean {
  return !isReadOnly() && may(operation, streamId, topicId);
}

/** Whether there may be a topic that messages may be sent to. */
export function maySendSomewhere(): boolean {
  return !isReadOnly() && maySomewhere("sendMessages");
}

/**
 * Whether messages may be sent to a topic. Who sees a topic need not see its stream, nor its number: a right to a topic of that
 * number in any stream counts.
 */
export function maySend(topicId: number): boolean {
  const streams = ownPermissions()?.streams ?? [];
  return mayChange("sendMessages") || streams.some(({ streamId }) => mayChange("sendMessages", streamId, topicId));
}

export type OwnTopic = {
  readonly streamId: number;
  readonly topicId: number;
  readonly stream: string;
  readonly topic: string;
};

/** Topics that the own rights name. */
export function ownTopics(): readonly OwnTopic[] {
  const { value } = session;
  const named = value.kind === "signedIn" ? value.session.named : [];
  return named.flatMap(({ streamId, name, topics }) =>
    topics.map((topic) => ({ streamId, topicId: topic.topicId, stream: name, topic: topic.name })),
  );
}

/** Whether the rights cover the page of a stream. */
export function maySeeStream(stream: string): boolean {
  const { value } = session;
  if (may("getStream")) return true;
  const named = value.kind === "signedIn" ? value.session.named : [];
  return named.some(({ streamId, name }) => name === stream && may("getStream", streamId));
}
