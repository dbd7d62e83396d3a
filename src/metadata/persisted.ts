/**
 * What `persisted` topics need of the metadata (spec P9 11.5): a message or an offset that no power loss may take is of no use
 * without the topic, partition or group that it belongs to. A purge counts among what makes them: what is sent after it is of
 * another log, and the next start sets aside what is of a log that the metadata do not name.
 */
import type { MetadataEvent } from "./events.ts";
import type { MetadataState, Topic } from "./state.ts";
import { areOffsetsPersisted, isPersisted, noTopicOptions } from "./topic-options.ts";

/** Whether the event, which fits `state`, makes something that is to be durable before anybody stores anything there. */
export function makesPersisted(state: MetadataState, event: MetadataEvent): boolean {
  switch (event.kind) {
    case "topicCreated":
      return isAnythingPersisted(event.options);
    case "partitionsCreated":
      return isAnythingPersisted(topicOf(state, event)?.options);
    case "groupCreated":
      return areOffsetsPersisted({ options: topicOf(state, event)?.options ?? noTopicOptions });
    case "topicPurged":
      return isAnythingPersisted(topicOf(state, event)?.options);
    case "streamPurged":
      return topicsOf(state, event.streamId).some(({ options }) => isAnythingPersisted(options));
    default:
      return false; // makes nothing that holds messages or offsets
  }
}

function isAnythingPersisted(options = noTopicOptions): boolean {
  return isPersisted({ options }) || areOffsetsPersisted({ options });
}

function topicsOf(state: MetadataState, streamId: number): Topic[] {
  return [...(state.streams.byId.get(streamId)?.topics.byId.values() ?? [])];
}

function topicOf(state: MetadataState, ids: { readonly streamId: number; readonly topicId: number }) {
  return state.streams.byId.get(ids.streamId)?.topics.byId.get(ids.topicId);
}
