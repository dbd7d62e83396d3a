// Errors as sentences: what happened, and what to do.
import { ConnectionLostError, ConsoleError, IggyError } from "../../client/console-client.ts";
import { words } from "../words/en.ts";

/** Of a command. */
export function errorText(error: unknown): string {
  if (IggyError.is(error, "Unauthorized")) return words.error.unauthorized;
  if (IggyError.is(error, "Disconnected", "CannotEstablishConnection")) return words.error.noAnswer;
  if (error instanceof IggyError) return words.error.other(error.message, error.code);
  if (error instanceof ConsoleError) {
    if (error.status === 0) return words.error.noAnswer;
    return error.code === "unauthorized" ? words.error.unauthorized : words.error.said(error.message);
  }
  return String(error);
}

/** Of a command that changes something: it is never sent a second time. */
export function writeErrorText(error: unknown): string {
  if (error instanceof ConsoleError)
    return error.status === 0 ? words.error.lostAnswer : words.error.said(error.message);
  if (error instanceof Refusal) return error.message;
  if (IggyError.is(error, "Unauthorized")) return words.error.mayNot;
  if (IggyError.is(error, "Disconnected")) {
    const wasSent = !(error instanceof ConnectionLostError) || error.requestSent;
    return wasSent ? words.error.lostAnswer : words.error.notSent;
  }
  return errorText(error);
}

/** The console itself does not do something: the message says why. */
export class Refusal extends Error {
  override readonly name = "Refusal";
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
