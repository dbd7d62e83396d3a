// What a consumer of a topic's handle is made of: a connection of its own, opened by first use, and the topic's format.

import { nameId } from "../../protocol/identifier.ts";
import { SessionCommands } from "../connection/session-commands.ts";
import type { TopicContext } from "../topic/topic-context.ts";
import { consumerClockOf } from "./clock.ts";
import type { ConsumerParts } from "./consumer.ts";
import { lazyCommands } from "./lazy-commands.ts";
import type { ConsumerOptions } from "./options.ts";
import { sessionCommands } from "./session-commands.ts";
import { hasLongPolls } from "./waiting-poll.ts";

/** Readers store nothing; a name has to be said all the same. */
const readerName = "reader";

/** `options` undefined: a reader's. `onClosed` is called when it is closed. */
export function topicParts<Out>(
  context: TopicContext<never, Out>,
  options: ConsumerOptions | undefined,
  onClosed: () => void,
): ConsumerParts<Out> {
  const { stream, topic, format, encryption, clock } = context;
  const isGroup = options !== undefined && "group" in options;
  const name = options === undefined ? readerName : "group" in options ? options.group : options.name;
  const consumer = { kind: isGroup ? "group" : "consumer", id: nameId(name) } as const;
  const commands = lazyCommands(async () => {
    const session = context.openSession();
    session.start();
    try {
      const commands = new SessionCommands(session);
      // Well below the time after which a connection without an answer counts as dead.
      const waitMsMax = (await hasLongPolls(commands)) ? session.requestTimeoutMs / 2 : 0;
      return sessionCommands(commands, { stream, topic, consumer }, () => session.close(), waitMsMax);
    } catch (error) {
      session.close();
      throw error;
    }
  });
  return {
    commands,
    format,
    ...(encryption !== undefined && { encryption }),
    clock: consumerClockOf(clock),
    place: { stream: String(stream.value), topic: String(topic.value) },
    onClosed,
  };
}
