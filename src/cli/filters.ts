// Which of the messages that were read are shown: `--grep`, `--header`, `--field` of tail. All must hold. They are looked at here, on
// what the server has sent; nothing of it makes reading cheaper.

import type { PolledMessage } from "../protocol/message/poll-messages.ts";
import { decodedHeaders, fieldText } from "./transfer/headers.ts";
import { UsageError } from "./usage-error.ts";

export type Filter = (message: PolledMessage) => boolean;

const lenientText = new TextDecoder();

/** A regular expression that is found in the payload as text. */
export function grep(given: string): Filter {
  let pattern: RegExp;
  try {
    pattern = new RegExp(given, "u");
  } catch (error) {
    throw new UsageError(`is no regular expression: ${error instanceof Error ? error.message : String(error)}`);
  }
  return ({ payload }) => pattern.test(lenientText.decode(payload));
}

/** `NAME`: it is there; `NAME=VALUE`: with this value, as `headers` are shown. */
export function header(given: string): Filter {
  const equals = given.indexOf("=");
  const name = equals < 0 ? given : given.slice(0, equals);
  const wanted = equals < 0 ? undefined : given.slice(equals + 1);
  if (name === "") throw new UsageError("is not NAME or NAME=VALUE");
  return ({ userHeaders }) =>
    (decodedHeaders(userHeaders) ?? []).some(
      ({ key, value }) => fieldText(key) === name && (wanted === undefined || fieldText(value) === wanted),
    );
}

/** `a.b=VALUE`: the payload is JSON that has the value there, as text; numbers with the digits that were sent. */
export function field(given: string): Filter {
  const equals = given.indexOf("=");
  const path = given.slice(0, Math.max(equals, 0)).split(".");
  const wanted = given.slice(equals + 1);
  if (equals < 1 || path.includes("")) throw new UsageError("is not PATH=VALUE, such as customer.id=12");
  return ({ payload }) => valueAt(lenientText.decode(payload), path) === wanted;
}

/** Undefined where the text is no JSON, or has nothing there. */
function valueAt(text: string, path: readonly string[]): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text, (_, inner: unknown, context?: { readonly source?: string }) =>
      // Numbers keep their digits, however many they have.
      typeof inner === "number" ? { digits: context?.source ?? String(inner) } : inner,
    );
  } catch {
    return undefined; // no JSON
  }
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  if (typeof value === "object" && value !== null) return "digits" in value ? String(value.digits) : undefined;
  return String(value);
}
