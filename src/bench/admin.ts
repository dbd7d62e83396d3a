// The streams of a run: made before it, counted after it, deleted at the end. Over the transport that is measured.

import { type HttpClient, IggyClient } from "../client/index.ts";
import { IggyError } from "../protocol/errors.ts";
import { groupName, topicName } from "./batch.ts";
import { connectHttp, topicPathOf } from "./http-link.ts";
import { isEncrypted, isHttp, type Target } from "./target.ts";

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

/** A connection for one piece of work: between the pieces it would idle for minutes and be taken for dead. */
export async function withAdmin<T>(target: Target, work: (admin: Admin) => Promise<T>): Promise<T> {
  const { transport, tls, ...rest } = target;
  if (isHttp(transport)) return work(httpAdmin(await connectHttp(target)));
  const client = await IggyClient.connect({
    ...rest,
    transport: transport === "websocket" || transport === "wss" ? "websocket" : "tcp",
    ...(isEncrypted(transport) ? { tls } : {}),
  });
  try {
    return await work(binaryAdmin(client));
  } finally {
    client.close();
  }
}

function binaryAdmin(client: IggyClient): Admin {
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

const missing: ReadonlySet<string> = new Set(["ResourceNotFound", "StreamIdNotFound", "TopicIdNotFound"]);

/** Undefined if what is asked for is not there. */
async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof IggyError && missing.has(error.errorName)) return undefined;
    throw error;
  }
}

function httpAdmin(client: HttpClient): Admin {
  const deleteStream = async (name: string) => {
    await ifThere(client.deleteStream(name));
  };
  return {
    deleteStream,
    createStream: async (name, partitionsCount) => {
      await deleteStream(name);
      await client.createStream(name);
      await client.createTopic(name, { name: topicName, partitionsCount });
    },
    createGroup: () => Promise.reject(new Error("there are no groups over HTTP")),
    messagesCount: async (streamName) => {
      const reply = await ifThere(client.request("GET", topicPathOf(streamName)));
      if (reply === undefined) return undefined;
      const topic: { readonly messages_count: number } = JSON.parse(reply.text);
      return topic.messages_count;
    },
  };
}
