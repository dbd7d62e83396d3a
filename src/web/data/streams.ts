// Streams and topics as a user may see them.
import {
  type ConsoleBroker,
  IggyError,
  type Permissions,
  type StreamHeader,
  type TopicHeader,
} from "../../client/console-client.ts";

/** All streams; of a user who may not list them, those that the own permissions name. Errors: those of the commands. */
export async function visibleStreams(
  from: ConsoleBroker,
  permissions: Permissions | null,
): Promise<readonly StreamHeader[]> {
  try {
    return await from.getStreams();
  } catch (error) {
    if (!IggyError.is(error, "Unauthorized")) throw error;
  }
  const found = await Promise.all((permissions?.streams ?? []).map(({ streamId }) => visibleStream(from, streamId)));
  return found.filter((stream) => stream !== undefined);
}

async function visibleStream(from: ConsoleBroker, streamId: number): Promise<StreamHeader | undefined> {
  try {
    return await from.getStream(streamId);
  } catch (error) {
    if (IggyError.is(error, "Unauthorized")) return undefined;
    throw error;
  }
}

/**
 * Number of the stream of a topic. It stands in no reply about a topic: of who may not see the stream, it is the one whose topic the own
 * permissions name. Errors: those of the commands; ResourceNotFound (20) where there is no such stream any more.
 */
export async function streamIdOf(
  from: ConsoleBroker,
  stream: string,
  topic: TopicHeader,
  permissions: Permissions | null,
): Promise<number> {
  try {
    const found = await from.getStream(stream);
    if (found !== undefined) return found.id;
  } catch (error) {
    if (!IggyError.is(error, "Unauthorized")) throw error;
  }
  for (const { streamId, topics } of permissions?.streams ?? []) {
    if (!topics.some(({ topicId }) => topicId === topic.id)) continue;
    const found = await from.getTopic(streamId, topic.id);
    if (found?.name === topic.name && found.createdAtMicros === topic.createdAtMicros) return streamId;
  }
  throw new IggyError("ResourceNotFound", [stream]);
}
