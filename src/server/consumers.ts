// From the consumer of a request to the key under which its offset is kept.
import type { Topic } from "../metadata/index.ts";
import type { Consumer } from "../protocol/consumer.ts";
import { IggyError } from "../protocol/errors.ts";
import { xxHash32 } from "../protocol/xxhash32.ts";
import type { ConsumerKey } from "../storage/index.ts";

const utf8 = new TextEncoder();

/** A single consumer's number: as given, or the hash of its name (spec BP 3.3). Undefined for a group: none exists yet. */
export function resolveConsumer(consumer: Consumer): ConsumerKey | undefined {
  if (consumer.kind === "group") return undefined;
  const { id } = consumer;
  return { kind: "consumer", id: id.kind === "numeric" ? id.value : xxHash32(utf8.encode(id.value)) };
}

/** As `resolveConsumer`; an unknown group is ConsumerGroupIdNotFound (5000). */
export function requireConsumer(consumer: Consumer, topic: Topic): ConsumerKey {
  const key = resolveConsumer(consumer);
  if (key === undefined) throw new IggyError("ConsumerGroupIdNotFound", [consumer.id.value, topic.name]);
  return key;
}
