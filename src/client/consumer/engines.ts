// What is loaded with the first consumer or reader, for all of them.

import type { TopicContext } from "../topic/topic-context.ts";
import { ConsumerEngine } from "./consumer-engine.ts";
import type { ConsumerHooks } from "./observer.ts";
import type { ConsumerOptions, ReaderOptions } from "./options.ts";
import { ReaderEngine } from "./reader-engine.ts";
import { topicParts } from "./topic-parts.ts";

/** `onClosed` is called when it is closed. */
export function openConsumer<Out>(
  context: TopicContext<never, Out>,
  options: ConsumerOptions,
  hooks: ConsumerHooks,
  onClosed: () => void,
): ConsumerEngine<Out> {
  return new ConsumerEngine(topicParts(context, options, hooks, onClosed), options);
}

/** `onClosed` is called when it is closed. */
export function openReader<Out>(
  context: TopicContext<never, Out>,
  options: ReaderOptions,
  hooks: ConsumerHooks,
  onClosed: () => void,
): ReaderEngine<Out> {
  return new ReaderEngine(topicParts(context, undefined, hooks, onClosed), options);
}
