// Consumers and readers from what is loaded with the first one. Options are looked at before: what makes no sense is a TypeError of
// the call that gives it.

import type { TopicContext } from "../topic/topic-context.ts";
import { Consumer } from "./consumer.ts";
import { Late } from "./late.ts";
import type { ConsumerHooks } from "./observer.ts";
import type { ConsumerOptions, ReaderOptions } from "./options.ts";
import { Reader } from "./reader.ts";
import { checkPosition, checkStart, consumerNameOf, splitFrom } from "./start-position.ts";

type Engines = typeof import("./engines.ts");

let loaded: Engines | undefined;

/** Also for those who must have it before it is asked for: where time is simulated, what is loaded comes too late. */
export async function loadEngines(): Promise<Engines> {
  loaded ??= await import("./engines.ts");
  return loaded;
}

function late<T extends object>(open: (engines: Engines) => T): Late<T> {
  return new Late(loaded === undefined ? loadEngines().then(open) : open(loaded));
}

/** TypeError for options that make no sense. `onClosed` is called when it is closed. */
export function consumerOf<Out>(
  context: TopicContext<never, Out>,
  options: ConsumerOptions,
  hooks: ConsumerHooks,
  onClosed: () => void,
): Consumer<Out> {
  consumerNameOf(options);
  checkStart(options.start ?? "first");
  return new Consumer(late(({ openConsumer }) => openConsumer(context, options, hooks, onClosed)));
}

/** TypeError for a position that is none. `onClosed` is called when it is closed. */
export function readerOf<Out>(
  context: TopicContext<never, Out>,
  options: ReaderOptions,
  hooks: ConsumerHooks,
  onClosed: () => void,
): Reader<Out> {
  const { start, position } = splitFrom(options.from);
  checkStart(start);
  checkPosition(position);
  return new Reader(late(({ openReader }) => openReader(context, options, hooks, onClosed)));
}
