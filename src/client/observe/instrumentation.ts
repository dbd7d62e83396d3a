// Hooks for tracing and metrics: each is called when something starts, and what it returns when that ends. Who gives none pays
// nothing for them.

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
};

export type Instrumentation = {
  /** A command and its reply, with all that is sent again meanwhile. Batches of producers are told by `send` alone. */
  readonly request?: Observe<{ readonly command: string; readonly bytes: number }>;
  /** One attempt to send a batch. */
  readonly send?: Observe<Operation>;
  /** Adds trace context to a message that is sent, as text headers (`traceparent`, `tracestate`). */
  readonly inject?: (carrier: Record<string, string>) => void;
};

const noEnd = (): void => undefined;

/** Tells the start, and gives what tells the end. A hook that throws fails what it observes: it is the program's own. */
export function begin<Facts>(observe: Observe<Facts> | undefined, facts: () => Facts): (error?: unknown) => void {
  if (observe === undefined) return noEnd;
  const startedMs = performance.now();
  const end = observe(facts());
  if (end === undefined) return noEnd;
  return (error) => end({ durationMs: performance.now() - startedMs, ...(error === undefined ? {} : { error }) });
}
