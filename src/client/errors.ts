// What can go wrong. An IggyError is what the server answered; the classes here are for what the client knows itself, each with
// what to do about it. Wrong arguments are TypeErrors.

import { type ErrorName, IggyError } from "../protocol/errors.ts";
import type { Message } from "./topic/message.ts";
import { issueText, type SchemaIssue } from "./topic/schema.ts";

export { type ErrorName, IggyError } from "../protocol/errors.ts";
export { ConnectionLostError } from "./connection/connection-lost-error.ts";

/** No connection could be opened: `CannotEstablishConnection` (9). */
export class ConnectionError extends IggyError {
  /** Without the password. */
  readonly url: string;
  readonly attempts: number;
  /** What is likely wrong, in a sentence for people. */
  readonly hint: string;

  constructor(url: string, attempts: number, hint: string, options?: { cause?: unknown }) {
    super("CannotEstablishConnection", [], options);
    this.name = "ConnectionError";
    this.url = url;
    this.attempts = attempts;
    this.hint = hint;
    this.message = `Cannot connect to ${url}${attempts === 1 ? "" : ` (${attempts} attempts)`}: ${hint}`;
  }
}

/** The server refused the login, with its reason: a client does not try again by itself. */
export class AuthenticationError extends IggyError {
  constructor(url: string, reason: IggyError) {
    super(reason.errorName, reason.params, { cause: reason });
    this.name = "AuthenticationError";
    this.message = `${reason.message}: the login at ${url} was refused; check the user name, the password or the token`;
  }
}

/** Messages of a producer that were not acknowledged. `code` and `errorName` are those of the reason. */
export class SendError extends IggyError {
  /** They may be stored all the same: they left, and no answer came. */
  readonly isUncertain: boolean;
  readonly messagesCount: number;
  readonly attempts: number;

  constructor(facts: SendFailure, reason: ErrorName, options?: { cause?: unknown }) {
    super(reason, [], options);
    this.name = "SendError";
    this.isUncertain = facts.isUncertain;
    this.messagesCount = facts.messagesCount;
    this.attempts = facts.attempts;
    const messages = facts.messagesCount === 1 ? "1 message" : `${facts.messagesCount} messages`;
    const outcome = facts.isUncertain ? "may be stored or not: no answer came" : "not stored";
    this.message = `${this.message}: ${messages} for ${facts.place}: ${outcome}`;
  }
}

/** `place`: `shop/orders, partition 3`. */
export type SendFailure = {
  readonly place: string;
  readonly isUncertain: boolean;
  readonly messagesCount: number;
  readonly attempts: number;
};

/** A producer's buffer is far beyond its limit: `BackgroundSendBufferFull` (4053). */
export class BackpressureError extends IggyError {
  readonly bufferedBytes: number;

  constructor(bufferedBytes: number) {
    super("BackgroundSendBufferFull");
    this.name = "BackpressureError";
    this.bufferedBytes = bufferedBytes;
    this.message = `${bufferedBytes} bytes wait to be sent: wait for \`producer.ready\` before each send, or use \`sendAll\``;
  }
}

/** A value that its format refuses: `InvalidFormat` (4). */
export class SchemaError extends IggyError {
  readonly issues: readonly SchemaIssue[];
  /** The message that was read; undefined for one that was to be sent. */
  readonly failed?: Message<unknown>;

  constructor(issues: readonly SchemaIssue[], options: { cause?: unknown; failed?: Message<unknown> } = {}) {
    super("InvalidFormat", [], "cause" in options ? { cause: options.cause } : {});
    this.name = "SchemaError";
    this.issues = issues;
    const { failed } = options;
    if (failed !== undefined) this.failed = failed;
    const where = failed === undefined ? "" : ` (partition ${failed.partitionId}, offset ${failed.offset})`;
    this.message = `The value does not fit its format${where}: ${issues.map(issueText).join("; ")}`;
  }
}

/** A handler failed on a message as often as it was allowed to: `Error` (1), the reason is the `cause`. */
export class HandlerError extends IggyError {
  readonly failed: Message<unknown>;
  readonly attempts: number;

  constructor(failed: Message<unknown>, attempts: number, cause: unknown) {
    super("Error", [], { cause });
    this.name = "HandlerError";
    this.failed = failed;
    this.attempts = attempts;
    const times = attempts === 1 ? "once" : `${attempts} times`;
    this.message = `The handler failed ${times} on the message at partition ${failed.partitionId}, offset ${failed.offset}`;
  }
}
