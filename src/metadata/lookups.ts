/** Look-ups for commands, which fail with the documented error where something is missing. */
import { IggyError } from "../protocol/errors.ts";
import type { Identifier } from "../protocol/identifier.ts";
import {
  type ConsumerGroup,
  findGroup,
  findStream,
  findTopic,
  findUser,
  type GroupKey,
  type MetadataState,
  type Stream,
  type Topic,
  type User,
} from "./state.ts";

/** Throws StreamIdNotFound (1009). */
export function requireStream(state: MetadataState, identifier: Identifier): Stream {
  const stream = findStream(state, identifier);
  if (stream === undefined) throw new IggyError("StreamIdNotFound", [identifier.value]);
  return stream;
}

/** Throws StreamIdNotFound (1009) or TopicIdNotFound (2010). */
export function requireTopic(
  state: MetadataState,
  streamIdentifier: Identifier,
  topicIdentifier: Identifier,
): { stream: Stream; topic: Topic } {
  const stream = requireStream(state, streamIdentifier);
  const topic = findTopic(stream, topicIdentifier);
  // The original fills its text "Topic with ID: {0} for stream with ID: {1}" the wrong way round; clients see it so.
  if (topic === undefined) throw new IggyError("TopicIdNotFound", [streamIdentifier.value, topicIdentifier.value]);
  return { stream, topic };
}

/** Throws StreamIdNotFound (1009), TopicIdNotFound (2010) or ConsumerGroupIdNotFound (5000), also for a name. */
export function requireGroup(
  state: MetadataState,
  target: { readonly stream: Identifier; readonly topic: Identifier; readonly group: Identifier },
): { stream: Stream; topic: Topic; group: ConsumerGroup; key: GroupKey } {
  const { stream, topic } = requireTopic(state, target.stream, target.topic);
  const group = findGroup(topic, target.group);
  if (group === undefined) throw new IggyError("ConsumerGroupIdNotFound", [target.group.value, target.topic.value]);
  return { stream, topic, group, key: { streamId: stream.id, topicId: topic.id, groupId: group.id } };
}

/** Throws ResourceNotFound (20). */
export function requireUser(state: MetadataState, identifier: Identifier): User {
  const user = findUser(state, identifier);
  if (user === undefined) throw new IggyError("ResourceNotFound", [identifier.value]);
  return user;
}
