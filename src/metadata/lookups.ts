/** Look-ups for commands, which fail with the documented error where something is missing. */
import { IggyError } from "../protocol/errors.ts";
import type { Identifier } from "../protocol/identifier.ts";
import { findStream, findTopic, type MetadataState, type Stream, type Topic } from "./state.ts";

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
