// Names of streams and topics by their numbers, as far as the user who is signed in may see them.
import { type ConsoleBroker, IggyError, type Permissions, type TopicHeader } from "../../client/console-client.ts";

export type ObjectNames = {
  readonly streams: ReadonlyMap<number, string>;
  /** By `stream topic`. */
  readonly topics: ReadonlyMap<string, string>;
};

export function topicKey(streamId: number, topicId: number): string {
  return `${streamId} ${topicId}`;
}

/** Of all streams, and of the topics of the streams that the rights name. Errors: those of the commands. */
export async function objectNames(from: ConsoleBroker, permissions: Permissions | undefined): Promise<ObjectNames> {
  const streams = new Map((await orNothing(from.getStreams())).map(({ id, name }) => [id, name]));
  const named = (permissions?.streams ?? []).filter(({ topics }) => topics.length > 0);
  const lists = await Promise.all(
    named.map(async ({ streamId }) => [streamId, await orNothing(from.getTopics(streamId))] as const),
  );
  const topics = lists.flatMap(([streamId, list]) =>
    list.map(({ id, name }) => [topicKey(streamId, id), name] as const),
  );
  return { streams, topics: new Map(topics) };
}

/** Of one stream; empty for who may not list them. */
export function topicsOf(from: ConsoleBroker, streamId: number): Promise<readonly TopicHeader[]> {
  return orNothing(from.getTopics(streamId));
}

async function orNothing<T>(asked: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await asked;
  } catch (error) {
    // A stream may also be gone by now.
    if (IggyError.is(error, "Unauthorized", "StreamIdNotFound", "ResourceNotFound")) return [];
    throw error;
  }
}
