// Who may do what, as the handlers ask it.
import { isLockedOut, type Operation, requireAllowed, type User } from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import type { Shard } from "../shard/index.ts";
import type { Session } from "./session.ts";

/** The user that is logged in; undefined also if it was deleted since, or is kept out (a token from before that start). */
export function userOf(shard: Shard, session: Session): User | undefined {
  const { user: known } = session;
  if (known === undefined) return undefined;
  const user = shard.state.users.byId.get(known.id);
  if (user?.createdAtMicros !== known.createdAtMicros || isLockedOut(shard.state, known.id)) return undefined;
  return user;
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
