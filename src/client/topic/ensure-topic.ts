// A topic that is there afterwards, with its stream. Loaded when it is asked for.

import { IggyError } from "../../protocol/errors.ts";
import type { TopicDetails } from "../../protocol/records/topic-details.ts";
import { getTopic, type TopicPlace } from "../commands/basic.ts";
import type { Exchange } from "../commands/command.ts";
import type { TopicOptions } from "../commands/commands.ts";
import { methods } from "../commands/methods.ts";

/** What a topic is made with. */
export type TopicSettings = Omit<TopicOptions, "name">;

/** Creates stream and topic where they are missing; what exists keeps its settings. */
export async function ensureTopic(
  exchange: Exchange,
  place: TopicPlace,
  settings: TopicSettings & { readonly partitionsCount: number },
): Promise<TopicDetails> {
  const { stream, topic } = place;
  const existing = await getTopic(exchange, place);
  if (existing !== undefined) return existing;
  // A number is given by the server: what is missing under one cannot be made.
  if (topic.kind === "numeric") throw new IggyError("TopicIdNotFound", [topic.value, stream.value]);
  if ((await methods.getStream(exchange, stream)) === undefined) {
    if (stream.kind === "numeric") throw new IggyError("StreamIdNotFound", [stream.value]);
    await unlessThere("StreamNameAlreadyExists", methods.createStream(exchange, stream.value));
  }
  const created = await unlessThere(
    "TopicNameAlreadyExists",
    methods.createTopic(exchange, stream, { ...settings, name: topic.value }),
  );
  const details = created ?? (await getTopic(exchange, place));
  if (details === undefined) throw new IggyError("TopicIdNotFound", [topic.value, stream.value]);
  return details;
}

/** Undefined where somebody else was faster. */
async function unlessThere<T>(error: "StreamNameAlreadyExists" | "TopicNameAlreadyExists", made: Promise<T>) {
  try {
    return await made;
  } catch (reason) {
    if (IggyError.is(reason, error)) return undefined;
    throw reason;
  }
}
