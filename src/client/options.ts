// Options that many calls have.

export interface Abortable {
  /** Ends the call, or what it made, with `signal.reason`. */
  readonly signal?: AbortSignal;
}

export interface CloseOptions {
  /** What is not done by then is given up (10_000). */
  readonly timeoutMs?: number;
}
