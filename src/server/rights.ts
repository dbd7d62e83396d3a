// Who may do what, as the handlers ask it.
import { type Operation, requireAllowed, type User } from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import type { Shard } from "../shard/index.ts";
import type { Session } from "./session.ts";

/** The user that is logged in; undefined also if it was deleted since. */
export function userOf(shard: Shard, session: Session): User | undefined {
  const { user: known } = session;
  if (known === undefined) return undefined;
  const user = shard.state.users.byId.get(known.id);
  return user !== undefined && user.createdAtMicros === known.createdAtMicros ? user : undefined;
}

/** Throws Unauthorized (41), also for a user that was deleted while its session went on (spec SB 7.1). */
export function requireRight(
  shard: Shard,
  session: Session,
  operation: Operation,
  streamId?: number,
  topicId?: number,
): void {
  requireAllowed(userOf(shard, session), operation, streamId, topicId);
}

/** Throws Unauthenticated (40). */
export function requireLogin(session: Session): void {
  if (session.user === undefined) throw new IggyError("Unauthenticated");
}
