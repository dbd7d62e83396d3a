// How the streams and topics are called that a user's rights name. Whoever gave the right gave the name with it: a client needs it, and
// who may poll one topic could not list it.
import type { User } from "../../metadata/index.ts";
import type { NamedStream } from "../../protocol/console/session.ts";
import type { Shard } from "../../shard/index.ts";

/** In ascending order of the numbers. An entry without a right names nothing; rights to what is deleted are deleted with it. */
export function namedObjects({ state }: Shard, { permissions }: User): readonly NamedStream[] {
  const named: NamedStream[] = [];
  for (const { streamId, topics, ...flags } of permissions?.streams ?? []) {
    const stream = state.streams.byId.get(streamId);
    if (stream === undefined) continue;
    const known = topics.flatMap(({ topicId, ...ofTopic }) => {
      const topic = stream.topics.byId.get(topicId);
      return topic === undefined || !hasAny(ofTopic) ? [] : [{ topicId, name: topic.name }];
    });
    if (known.length > 0 || hasAny(flags)) named.push({ streamId, name: stream.name, topics: known });
  }
  return named;
}

function hasAny(flags: Readonly<Record<string, boolean>>): boolean {
  return Object.values(flags).includes(true);
}
