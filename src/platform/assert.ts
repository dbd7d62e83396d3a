/**
 * A broken rule of our own (never bad input, never a full disk). Whoever owns the state it protects decides what stops:
 * storage fences one partition, a request ends with an error frame.
 */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/**
 * Throws `AssertionError` unless `condition` holds. `rule` states what should be true; `context` is printed behind it.
 * Build no costly context on hot paths: it is evaluated before the call.
 */
export function assert(
  condition: boolean,
  rule: string,
  context?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (condition) return;
  throw new AssertionError(context === undefined ? rule : `${rule} (${describeContext(context)})`);
}

/** Ends a `switch` over a discriminated union: a new kind does not compile until it is handled. */
export function assertNever(value: never, rule: string): never {
  throw new AssertionError(`${rule} (${describeContext({ value })})`);
}

function describeContext(context: Readonly<Record<string, unknown>>): string {
  return Object.entries(context)
    .map(([key, value]) => `${key}=${describeValue(value)}`)
    .join(", ");
}

function describeValue(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  try {
    return (
      JSON.stringify(value, (_key, inner) => (typeof inner === "bigint" ? inner.toString() : inner)) ?? String(value)
    );
  } catch {
    return String(value); // cyclic: the message must not replace the failure it describes
  }
}
