// Arguments that many commands take, and how sentences name what they stand for.

import type { Identifier } from "../../protocol/identifier.ts";
import type { Right } from "../command.ts";
import { required } from "../parameters.ts";
import { identifier, identifierText, partitionId } from "../values.ts";

export const stream = required(identifier, "Name or number of the stream", { completes: "streams" });
export const topic = required(identifier, "Name or number of the topic", { completes: "topics" });
export const partition = required(partitionId, "Number of the partition");
export const group = required(identifier, "Name or number of the consumer group", { completes: "groups" });
export const user = required(identifier, "Name or number of the user", { completes: "users" });

export type TopicPlace = { readonly stream: Identifier; readonly topic: Identifier };
export type PartitionPlace = TopicPlace & { readonly partition: number };

/** `orders/created`, as they were given. */
export function placeText(args: TopicPlace): string {
  return `${identifierText(args.stream)}/${identifierText(args.topic)}`;
}

/** `orders/created, partition 0`. */
export function partitionText(args: PartitionPlace): string {
  return `${placeText(args)}, partition ${args.partition}`;
}

/** Who may change a topic. */
export function manageTopic(what: string): (args: TopicPlace) => Right {
  return (args) => ({ what: `${what} ${identifierText(args.stream)}`, names: ["manage_topics", "manage_stream"] });
}

/** Who may poll a topic, and store offsets. */
export function pollTopic(what: string): (args: TopicPlace) => Right {
  return (args) => ({ what: `${what} ${placeText(args)}`, names: ["poll_messages", "manage_topic"] });
}
