// The streams of a run: made before it, counted after it, deleted at the end.

import type { IggyClient } from "../client/index.ts";
import { streamNameOf, topicName } from "./batch.ts";

/** Creates the actor's stream with one partition; an existing one of that name is deleted first. */
export async function createBenchStream(client: IggyClient, actorIndex: number): Promise<void> {
  const name = streamNameOf(actorIndex);
  if ((await client.getStream(name)) !== undefined) await client.deleteStream(name);
  await client.createStream(name);
  await client.createTopic(name, { name: topicName, partitionsCount: 1 });
}

/** Messages in the actor's topic; undefined if there is no such topic. */
export async function benchMessagesCount(client: IggyClient, actorIndex: number): Promise<number | undefined> {
  const topic = await client.getTopic(streamNameOf(actorIndex), topicName);
  return topic === undefined ? undefined : Number(topic.messagesCount);
}

/** Deletes the actor's stream if it is there. */
export async function deleteBenchStream(client: IggyClient, actorIndex: number): Promise<void> {
  const name = streamNameOf(actorIndex);
  if ((await client.getStream(name)) !== undefined) await client.deleteStream(name);
}
