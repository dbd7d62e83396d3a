// What a consumer of a topic's handle is made of: a connection of its own, which its first command opens, and the topic's format.

import { nameId } from "../../protocol/identifier.ts";
import type { TopicContext } from "../topic/topic-context.ts";
import { consumerClockOf } from "./clock.ts";
import type { ConsumerParts } from "./consumer-engine.ts";
import type { ConsumerHooks } from "./observer.ts";
import type { ConsumerOptions } from "./options.ts";
import { pushCommands } from "./pushes.ts";
import { sessionCommands } from "./session-commands.ts";
import { consumerNameOf } from "./start-position.ts";
import type { WaitingPlace } from "./waiting-poll.ts";

/** Readers store nothing; a name has to be said all the same. */
const readerName = "reader";

/** `options` undefined: a reader's. `onClosed` is called when it is closed. */
export function topicParts<Out>(
  context: TopicContext<never, Out>,
  options: ConsumerOptions | undefined,
  hooks: ConsumerHooks,
  onClosed: () => void,
): ConsumerParts<Out> {
  const { stream, topic, format, encryption, clock } = context;
  const isGroup = options !== undefined && "group" in options;
  const name = options === undefined ? readerName : consumerNameOf(options);
  const consumer = { kind: isGroup ? "group" : "consumer", id: nameId(name) } as const;
  const session = context.openSession();
  const exchange = session.exchange.bind(session);
  const extensions = {
    // Well below the time after which a connection without an answer counts as dead.
    waitMsMax: () => (context.features().has("long-poll") ? session.requestTimeoutMs / 2 : 0),
    canPush: () => context.features().has("subscriptions"),
    pushes: (place: WaitingPlace) => pushCommands(session, exchange, place),
  };
  const commands = sessionCommands(exchange, { stream, topic, consumer }, () => session.close(), extensions);
  return {
    commands,
    format,
    ...(encryption !== undefined && { encryption }),
    clock: consumerClockOf(clock),
    place: { stream: String(stream.value), topic: String(topic.value) },
    hooks,
    onClosed,
  };
}
