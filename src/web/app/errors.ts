// Errors as sentences: what happened, and what to do.
import { ConsoleError, IggyError } from "../../client/console-client.ts";
import { words } from "../words/en.ts";

/** Of a command. */
export function errorText(error: unknown): string {
  if (IggyError.is(error, "Unauthorized")) return words.error.unauthorized;
  if (IggyError.is(error, "Disconnected", "CannotEstablishConnection")) return words.error.noAnswer;
  if (error instanceof IggyError) return words.error.other(error.message, error.code);
  return String(error);
}

/** Of a sign-in. */
export function signInErrorText(error: unknown, isToken: boolean): string {
  if (!(error instanceof ConsoleError)) return words.signIn.failed(String(error));
  if (error.status === 0) return words.signIn.noAnswer;
  if (error.code === "forbidden_origin") return words.signIn.forbidden;
  if (error.code === "cannot_establish_connection") return words.signIn.busy;
  if (isToken && /^(?:resource_not_found|personal_access_token_expired)$/.test(error.code))
    return words.signIn.wrongToken;
  if (/^(?:invalid_credentials|invalid_identifier)$/.test(error.code)) return words.signIn.wrong;
  return words.signIn.failed(error.message);
}
