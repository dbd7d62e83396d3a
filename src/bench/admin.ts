// The streams of a run: made before it, counted after it, deleted at the end. Over the transport that is measured.

import { type Client, connect } from "../client/index.bun.ts";
import { groupName, topicName } from "./batch.ts";
import { isEncrypted, schemeOf, type Target, urlOf } from "./target.ts";

export interface Admin {
  /** A new stream with the bench's topic; an existing one of that name is deleted first. */
  createStream(name: string, partitionsCount: number): Promise<void>;
  /** A new group of the bench's topic. */
  createGroup(streamName: string): Promise<void>;
  /** Messages in the stream's topic; undefined if there is no such topic. */
  messagesCount(streamName: string): Promise<number | undefined>;
  /** Deletes the stream if it is there. */
  deleteStream(name: string): Promise<void>;
}

/** A connection for one piece of work: between the pieces it would idle for minutes. */
export async function withAdmin<T>(target: Target, work: (admin: Admin) => Promise<T>): Promise<T> {
  const { transport, tls, username, password } = target;
  await using client = await connect(urlOf(schemeOf(transport), target), {
    credentials: { username, password },
    ...(isEncrypted(transport) ? { tls } : {}),
  });
  return await work(adminOver(client));
}

function adminOver(client: Client): Admin {
  const deleteStream = async (name: string) => {
    if ((await client.getStream(name)) !== undefined) await client.deleteStream(name);
  };
  return {
    deleteStream,
    createStream: async (name, partitionsCount) => {
      await deleteStream(name);
      await client.createStream(name);
      await client.createTopic(name, { name: topicName, partitionsCount });
    },
    createGroup: async (streamName) => {
      await client.createConsumerGroup(streamName, topicName, groupName);
    },
    messagesCount: async (streamName) => {
      const topic = await client.getTopic(streamName, topicName);
      return topic === undefined ? undefined : Number(topic.messagesCount);
    },
  };
}
