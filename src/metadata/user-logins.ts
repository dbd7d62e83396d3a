/** What becomes of a login when its user changes: sessions and access tokens carry what they were given for. */
import { isLockedOut } from "./damage.ts";
import { activeStatus, type MetadataState, type User } from "./state.ts";

/** Who is logged in, and with what, as plain data. */
export interface UserLogin {
  readonly id: number;
  /** A user number is given again after a deletion; the time of creation tells the two apart. */
  readonly createdAtMicros: number;
  /** Of the user when it logged in; undefined: somebody else vouches for it, whatever becomes of its password. */
  readonly credentialsVersion: number | undefined;
  /** Of the personal access token that it logged in with; undefined: with none. */
  readonly tokenHash: string | undefined;
  /** The HTTP access token that stands for it; undefined: a connection does. */
  readonly accessTokenId: string | undefined;
}

/** A login of this user from now on, over a connection. */
export function loginOf({ id, createdAtMicros, credentialsVersion }: User, tokenHash?: string): UserLogin {
  return { id, createdAtMicros, credentialsVersion, tokenHash, accessTokenId: undefined };
}

/**
 * The user that is logged in. Undefined: it was deleted or deactivated since, its password was changed by somebody else, the
 * personal access token that it logged in with is gone, or it is kept out for now.
 */
export function findLoggedIn(state: MetadataState, login: UserLogin): User | undefined {
  const user = state.users.byId.get(login.id);
  if (user?.createdAtMicros !== login.createdAtMicros) return undefined;
  if (user.status !== activeStatus || isLockedOut(state, user.id)) return undefined;
  return isCurrent(user, login) && ownsToken(state, login) ? user : undefined;
}

function isCurrent(user: User, { credentialsVersion, accessTokenId }: UserLogin): boolean {
  if (credentialsVersion === undefined || credentialsVersion === user.credentialsVersion) return true;
  return accessTokenId !== undefined && accessTokenId === user.keptAccessTokenId;
}

function ownsToken(state: MetadataState, { id, tokenHash }: UserLogin): boolean {
  return tokenHash === undefined || state.tokensByHash.get(tokenHash)?.userId === id;
}
