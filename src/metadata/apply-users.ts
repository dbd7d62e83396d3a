/** Rules of the state machine for users, their permissions and their tokens. */
import { assert } from "../platform/assert.ts";
import { addEntry, assertIdFree, assertNameFree, removeEntry, renameEntry, requireEntry } from "./catalog.ts";
import { withoutStream, withoutTopic } from "./permissions.ts";
import type { Rules } from "./rules.ts";
import { inactiveStatus, type MetadataState, rootUserId, type TokenOwner, type User, usersMax } from "./state.ts";

export const userRules: Rules<
  | "userCreated"
  | "userUpdated"
  | "userDeleted"
  | "passwordChanged"
  | "permissionsUpdated"
  | "tokenCreated"
  | "tokenDeleted"
  | "tokensExpired"
> = {
  userCreated(state, { userId: id, name, passwordHash, status, createdAtMicros, permissions }) {
    assertIdFree(state.users, id);
    assertNameFree(state.users, name);
    assert(id < usersMax, "a user id is within the limit", { id });
    return () =>
      addEntry(state.users, {
        id,
        name,
        passwordHash,
        status,
        createdAtMicros,
        permissions,
        tokensByName: new Map(),
        credentialsVersion: 0,
        keptAccessTokenId: null,
      });
  },

  userUpdated(state, { userId, name, status }) {
    const user = requireEntry(state.users, userId);
    if (name !== undefined) assertNameFree(state.users, name, userId);
    return () => {
      if (name !== undefined) renameEntry(state.users, user, name);
      if (status === undefined) return;
      user.status = status;
      // For good: who is active again logs in again.
      if (status === inactiveStatus) endLogins(user, null);
    };
  },

  userDeleted(state, { userId }) {
    const user = requireEntry(state.users, userId);
    assert(userId !== rootUserId, "root is never deleted");
    return () => {
      for (const { tokenHash } of user.tokensByName.values()) state.tokensByHash.delete(tokenHash);
      removeEntry(state.users, user);
    };
  },

  passwordChanged(state, { userId, passwordHash, keptAccessTokenId = null }) {
    const user = requireEntry(state.users, userId);
    return () => {
      user.passwordHash = passwordHash;
      endLogins(user, keptAccessTokenId);
    };
  },

  permissionsUpdated(state, { userId, permissions }) {
    const user = requireEntry(state.users, userId);
    assert(userId !== rootUserId, "the permissions of root never change");
    return () => {
      user.permissions = permissions;
    };
  },

  tokenCreated(state, { userId, name, tokenHash, expiryAtMicros }) {
    const user = requireEntry(state.users, userId);
    assert(!user.tokensByName.has(name), "token names are unique per user", { userId, name });
    assert(!state.tokensByHash.has(tokenHash), "no two tokens are the same", { userId, name });
    return () => {
      user.tokensByName.set(name, { name, tokenHash, expiryAtMicros });
      state.tokensByHash.set(tokenHash, { userId, name });
    };
  },

  tokenDeleted(state, owner) {
    const user = requireTokenOwner(state, owner);
    return () => removeToken(state, user, owner.name);
  },

  tokensExpired(state, { tokens }) {
    const removals = tokens.map((owner) => ({ user: requireTokenOwner(state, owner), name: owner.name }));
    return () => {
      for (const { user, name } of removals) removeToken(state, user, name);
    };
  },
};

/** Rights on what was deleted go with it, or a new stream or topic with its number would have them (spec SB 13, trap 48). */
export function forgetPermissions(state: MetadataState, streamId: number, topicId?: number): void {
  for (const user of state.users.byId.values()) {
    if (user.permissions === null) continue;
    user.permissions =
      topicId === undefined
        ? withoutStream(user.permissions, streamId)
        : withoutTopic(user.permissions, streamId, topicId);
  }
}

function endLogins(user: User, keptAccessTokenId: string | null): void {
  user.credentialsVersion++;
  user.keptAccessTokenId = keptAccessTokenId;
}

function requireTokenOwner(state: MetadataState, { userId, name }: TokenOwner): User {
  const user = requireEntry(state.users, userId);
  assert(user.tokensByName.has(name), "an event names a token that exists", { userId, name });
  return user;
}

function removeToken(state: MetadataState, user: User, name: string): void {
  const token = user.tokensByName.get(name);
  if (token === undefined) return; // named twice in one event
  user.tokensByName.delete(name);
  state.tokensByHash.delete(token.tokenHash);
}
