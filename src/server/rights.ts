// Who may do what, as the handlers ask it.
import {
  findLoggedIn,
  isAllowedSomewhere,
  loginOf,
  MissingRight,
  requireAllowed,
  type User,
  type UserLogin,
} from "../metadata/index.ts";
import { IggyError } from "../protocol/errors.ts";
import type { Operation } from "../protocol/permissions.ts";
import type { Shard } from "../shard/index.ts";
import type { Session } from "./session.ts";

/** The user that is logged in; undefined also if its login has ended since (`findLoggedIn`). */
export function userOf(shard: Shard, { user }: Session): User | undefined {
  return user && findLoggedIn(shard.state, user);
}

/** Throws Unauthorized (41), also where a login has ended while its session went on (spec SB 7.1). */
export function requireRight(
  shard: Shard,
  session: Session,
  operation: Operation,
  streamId?: number,
  topicId?: number,
): void {
  requireAllowed(userOf(shard, session), operation, streamId, topicId);
}

/** Throws Unauthorized (41) where there is nothing for which the user has the right. */
export function requireSomewhere(shard: Shard, session: Session, operation: Operation): void {
  if (isAllowedSomewhere(userOf(shard, session), operation)) return;
  throw new IggyError("Unauthorized", [], { cause: new MissingRight(operation, undefined, undefined) });
}

/** Throws Unauthenticated (40). */
export function requireLogin(session: Session): void {
  if (session.user === undefined) throw new IggyError("Unauthenticated");
}

/** Throws Unauthorized (41) where the login has ended: for what needs a login, but no right. */
export function requireLoginHolds(session: Session): void {
  if (session.isLoginOver) throw new IggyError("Unauthorized");
}

/** A login of this user from now on; undefined: there is no such user. */
export function currentLoginOf({ state }: Shard, userId: number): UserLogin | undefined {
  const user = state.users.byId.get(userId);
  return user && loginOf(user);
}

/** Whether nothing has ended a login. */
export function holds({ state }: Shard, login: UserLogin): boolean {
  return findLoggedIn(state, login) !== undefined;
}
