import { IggyError } from "../protocol/errors.ts";

/** One line that says what went wrong, with the reason behind it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const name = error instanceof IggyError ? ` (${error.errorName}, ${error.code})` : "";
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${error.message}${name}${cause}`;
}
