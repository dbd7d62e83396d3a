// Hooks for tracing and metrics: each is called when something starts, and what it returns when that ends. The same is told on
// diagnostics channels (channels.ts). Who uses neither pays nothing for them.

import type { Message } from "../topic/message.ts";
import { isTraced, type Traced, trace } from "./channels.ts";

/** `durationMs`: since the start. `error`: undefined if it went well. */
export type Outcome = { readonly error?: unknown; readonly durationMs: number };

export type Observe<Facts> = (facts: Facts) => ((outcome: Outcome) => void) | undefined;

/** Messages of one topic on their way. */
export type Operation = {
  readonly stream: string;
  readonly topic: string;
  /** Undefined where the server chooses it. */
  readonly partitionId: number | undefined;
  readonly messagesCount: number;
  /** Of a consumer that is a member of a group. */
  readonly group?: string;
};

export type Instrumentation = {
  /** A command and its reply, with all that is sent again meanwhile. Batches of producers are told by `send` alone. */
  readonly request?: Observe<{ readonly command: string; readonly bytes: number }>;
  /** One attempt to send a batch. */
  readonly send?: Observe<Operation>;
  /** Adds trace context to a message that is sent, as text headers (`traceparent`, `tracestate`). */
  readonly inject?: (carrier: Record<string, string>) => void;
  /** A batch of one partition that came to a consumer or reader; it ends when the last of it is taken, or is not wanted any more. */
  readonly receive?: Observe<Operation>;
  /**
   * A message at work: from its delivery until it is handled, or one attempt of the handler of `run`. Of `batches()` a batch, with
   * its first message. A loop that ends with a message in hand tells no error: `break` and an exception look the same.
   */
  readonly process?: Observe<Operation & { readonly message: Message<unknown> }>;
  /** Storing an offset; the messages are those behind the last stored one. Not told where polls store (`before-delivery`). */
  readonly commit?: Observe<Operation>;
};

/** Tells the end; with an error where it failed. */
export type End = (error?: unknown) => void;

const nothing = (): void => undefined;

/** Whether a hook or a channel wants to know. */
export function isObserved(what: Traced, hook: Observe<never> | undefined): boolean {
  return hook !== undefined || isTraced(what);
}

/** Tells the start, and gives what tells the end. A hook that throws fails what it observes: it is the program's own. */
export function begin<Facts extends object>(what: Traced, hook: Observe<Facts> | undefined, facts: () => Facts): End {
  return isObserved(what, hook) ? start(what, hook, facts(), nothing).end : nothing;
}

/** Does `work` as something that is observed. What it starts sees the trace as its parent, where a tracer binds it. */
export async function observed<Facts extends object, Result>(
  what: Traced,
  hook: Observe<Facts> | undefined,
  facts: () => Facts,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  if (!isObserved(what, hook)) return work();
  const { made, end } = start(what, hook, facts(), async () => work());
  try {
    const result = await made;
    end();
    return result;
  } catch (error) {
    end(error);
    throw error;
  }
}

function start<Facts extends object, Made>(
  what: Traced,
  hook: Observe<Facts> | undefined,
  facts: Facts,
  work: () => Made,
): { readonly made: Made; readonly end: End } {
  const startedMs = performance.now();
  const endHook = hook?.(facts);
  const traced = isTraced(what) ? trace(what, facts, work) : undefined;
  return {
    made: traced === undefined ? work() : traced.made,
    end(error) {
      traced?.end(error);
      endHook?.({ durationMs: performance.now() - startedMs, ...(error === undefined ? {} : { error }) });
    },
  };
}
