// Which stream, topic or group an error is about: the server says only that there is none.

import { IggyError } from "../../protocol/errors.ts";
import type { Identifier } from "../../protocol/identifier.ts";

/** What a request names of itself; many name less. */
type Place = { readonly stream?: Identifier; readonly topic?: Identifier; readonly group?: Identifier };

/** `shop/orders`, for people. */
export function nameOfPlace({ stream, topic, group }: Place): string {
  return [stream, topic, group].flatMap((identifier) => identifier?.value ?? []).join("/");
}

/** The same error with the names of what is missing, where it has none yet. `request`: what was asked for. */
export function named(error: unknown, request: unknown): unknown {
  if (!IggyError.is(error, "StreamIdNotFound", "TopicIdNotFound", "ConsumerGroupIdNotFound")) return error;
  if (error.params.length > 0 || typeof request !== "object" || request === null) return error;
  const name = nameOfPlace(request);
  return name === "" ? error : new IggyError(error.errorName, [name], { cause: error.cause });
}

/** The reply; where it says that something is missing, the same error with its name. */
export async function naming<Reply>(reply: Promise<Reply>, request: unknown): Promise<Reply> {
  try {
    return await reply;
  } catch (error) {
    throw named(error, request);
  }
}
