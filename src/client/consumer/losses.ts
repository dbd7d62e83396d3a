// Errors after which a consumer tries again, and others it does not.

import { IggyError } from "../../protocol/errors.ts";

/** Nobody answers, or what was under way was cut off. */
export function isConnectionLoss(error: unknown): boolean {
  return (
    error instanceof IggyError &&
    (error.errorName === "Disconnected" || error.errorName === "CannotEstablishConnection")
  );
}

/** The server does not know the member (any more): it was away too long, or the connection is another one. */
export function isMembershipLoss(error: unknown): boolean {
  return (
    error instanceof IggyError &&
    (error.errorName === "ConsumerGroupMemberNotFound" || error.errorName === "StaleClient")
  );
}
