// Which topic an error is about: the server says only that there is none.

import { IggyError } from "../../protocol/errors.ts";
import type { Identifier } from "../../protocol/identifier.ts";

type TopicPlace = { readonly stream: Identifier; readonly topic: Identifier };

/** `shop/orders`, for people. */
export function nameOfTopic({ stream, topic }: TopicPlace): string {
  return `${stream.value}/${topic.value}`;
}

/** The reply; where it says that stream or topic are missing, the same error with their names. */
export async function namingTopic<Reply>(reply: Promise<Reply>, place: TopicPlace): Promise<Reply> {
  try {
    return await reply;
  } catch (error) {
    if (!IggyError.is(error, "StreamIdNotFound", "TopicIdNotFound")) throw error;
    throw new IggyError(error.errorName, [nameOfTopic(place)]);
  }
}
