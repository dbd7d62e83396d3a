/** What a rule of the state machine is, and what rules of several files need. */
import { requireEntry } from "./catalog.ts";
import type { MetadataEvent } from "./events.ts";
import type { MetadataState, Stream, Topic } from "./state.ts";

/** Asserts what the event takes for granted, then returns the change. */
export type Rule<E extends MetadataEvent> = (state: MetadataState, event: E) => () => void;

export type Rules<Kind extends MetadataEvent["kind"]> = {
  readonly [K in Kind]: Rule<Extract<MetadataEvent, { kind: K }>>;
};

export function requireTopicEntry(
  state: MetadataState,
  ids: { readonly streamId: number; readonly topicId: number },
): { stream: Stream; topic: Topic } {
  const stream = requireEntry(state.streams, ids.streamId);
  return { stream, topic: requireEntry(stream.topics, ids.topicId) };
}
