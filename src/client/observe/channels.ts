// The channels of `node:diagnostics_channel`, which Node and Bun have and pages do not: what is told there needs no option of the
// program. The module is asked for without an import, which bundles for browsers would stumble over. Nobody listens: nothing is made.

/** What has a start and an end: the tracing channels `whippet:request` and so on. */
export type Traced = "request" | "send" | "receive" | "process" | "commit";

/** As much of the module as is used here: in a page there are no types of it either. */
interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
  runStores<Made>(message: unknown, work: () => Made): Made;
}
interface Diagnostics {
  channel(name: string): Channel;
  tracingChannel(name: string): Readonly<Record<"start" | "end" | "asyncStart" | "asyncEnd" | "error", Channel>>;
}
interface Runtime {
  readonly process?: { getBuiltinModule?(name: string): Diagnostics | undefined };
}

const diagnostics = (globalThis as Runtime).process?.getBuiltinModule?.("node:diagnostics_channel");
const tracing = diagnostics && {
  request: diagnostics.tracingChannel("whippet:request"),
  send: diagnostics.tracingChannel("whippet:send"),
  receive: diagnostics.tracingChannel("whippet:receive"),
  process: diagnostics.tracingChannel("whippet:process"),
  commit: diagnostics.tracingChannel("whippet:commit"),
};
const events = diagnostics && {
  session: diagnostics.channel("whippet:session"),
  group: diagnostics.channel("whippet:group"),
};

/** Whether somebody listens to any channel of it. */
export function isTraced(what: Traced): boolean {
  if (tracing === undefined) return false;
  const { start, end, asyncStart, asyncEnd, error } = tracing[what];
  return (
    start.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    error.hasSubscribers
  );
}

/**
 * Tells the start, with a message that has the facts, and gives what tells the end: the same message, with `error` where it failed.
 * `work`, the part that is done at once, runs in the stores that are bound to `start` (AsyncLocalStorage).
 */
export function trace<Made>(
  what: Traced,
  facts: object,
  work: () => Made,
): { readonly made: Made; readonly end: (error: unknown) => void } {
  const { start, end, asyncStart, asyncEnd, error: failed } = tracing![what];
  const message: Record<string, unknown> = { ...facts };
  const tellFailure = (error: unknown) => {
    message.error = error;
    failed.publish(message);
  };
  const made = start.runStores(message, () => {
    try {
      return work();
    } catch (error) {
      tellFailure(error);
      throw error;
    } finally {
      end.publish(message);
    }
  });
  return {
    made,
    end(error) {
      if (error !== undefined) tellFailure(error);
      asyncStart.publish(message);
      asyncEnd.publish(message);
    },
  };
}

/** Something has happened to a connection (`whippet:session`) or to a member of a group (`whippet:group`). */
export function publish(what: "session" | "group", facts: () => object): void {
  const channel = events?.[what];
  if (channel?.hasSubscribers) channel.publish(facts());
}
