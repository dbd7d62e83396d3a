// Users, login and logout (spec BP 4.3, SB 7.1, 7.4).
import {
  entriesById,
  findUser,
  isLockedOut,
  requirePassword,
  requireUser,
  requireUserName,
  rootUserId,
  type User,
} from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import type { Identifier } from "../../protocol/identifier.ts";
import { UserStatusCode, userStatusOf } from "../../protocol/records/enumerations.ts";
import type { UserDetails, UserHeader } from "../../protocol/records/user-header.ts";
import { tellLogout } from "../audit.ts";
import { command } from "../command.ts";
import { refusalOfPassword, tellLogin } from "../login.ts";
import { requireRight, userOf } from "../rights.ts";
import { requireRecord } from "../session.ts";
import { requireNoOptions } from "../topic-options.ts";

function headerOf({ id, createdAtMicros, status, name }: User): UserHeader {
  return {
    id,
    createdAtMicros: BigInt(createdAtMicros),
    status: status === UserStatusCode.active ? "active" : "inactive",
    username: name,
  };
}

function detailsOf(user: User): UserDetails {
  return { ...headerOf(user), permissions: user.permissions ?? undefined };
}

function isInactive(user: User): boolean {
  return user.status !== UserStatusCode.active;
}

function names(identifier: Identifier, user: User | undefined): boolean {
  if (user === undefined) return false;
  return identifier.value === (identifier.kind === "numeric" ? user.id : user.name);
}

/** Whoever manages users must not lock root out, who would not know its own name any more: CannotChangePermissions (49). */
function requireNotRootOfOthers(user: User, newName: string, asking: User | undefined): void {
  if (user.id !== rootUserId || asking?.id === rootUserId || newName === user.name) return;
  throw new IggyError("CannotChangePermissions", [rootUserId]);
}

/** Lengths are checked first, then name, status and password (spec BP 4.3), of which each takes as long as a wrong password. */
export const userCommands = [
  command(
    "loginUser",
    async (context, session, { username, password }) => {
      const { shard, sessions, isShuttingDown } = context;
      if (isShuttingDown()) throw new IggyError("Disconnected");
      requireUserName(username);
      requirePassword(password);
      const user = findUser(shard.state, { kind: "string", value: username });
      const passwordHash = user?.passwordHash;
      // Of an inactive user too: whoever asks which names exist is to be as slow as whoever guesses.
      const refusal = await refusalOfPassword(context, session, { name: username, password, user });
      if (refusal !== undefined) {
        const isInactiveUser = user !== undefined && isInactive(user) && refusal.errorName === "InvalidCredentials";
        return Promise.reject(isInactiveUser ? new IggyError("UserInactive") : refusal); // not thrown: see login.ts
      }
      // Meanwhile it may have been deleted, or its password changed.
      const isStill = user !== undefined && shard.state.users.byId.get(user.id) === user;
      if (!isStill || user.passwordHash !== passwordHash) throw new IggyError("InvalidCredentials");
      if (isLockedOut(shard.state, user.id) || isInactive(user)) throw new IggyError("UserInactive");
      requireRecord(session);
      sessions.logIn(session, user);
      tellLogin(context, session);
      return { userId: user.id };
    },
    { needsLogin: false },
  ),

  command("logoutUser", (context, session) => {
    requireRecord(session);
    tellLogout(context, session);
    context.sessions.logOut(session);
    return undefined;
  }),

  command("getUser", ({ shard }, session, { user: identifier }) => {
    const user = findUser(shard.state, identifier);
    // A missing name is an empty success; a number counts as found, so that the right is asked for first (spec BP 4.3).
    if (user === undefined && identifier.kind === "string") return undefined;
    if (!names(identifier, userOf(shard, session))) requireRight(shard, session, "getUser");
    return user && detailsOf(user);
  }),

  command("getUsers", ({ shard }, session) => {
    requireRight(shard, session, "getUsers");
    return entriesById(shard.state.users).map(headerOf);
  }),

  command("createUser", async ({ shard, logins }, session, asked) => {
    const { username, password, statusCode, permissions } = asked;
    requireNoOptions(asked.options);
    requireRight(shard, session, "createUser");
    requireUserName(username);
    requirePassword(password);
    const status = UserStatusCode[userStatusOf(statusCode)];
    if (shard.state.users.byName.has(username)) throw new IggyError("UserAlreadyExists"); // before the costly hash
    const passwordHash = await logins.hash(session.address, password);
    requireRight(shard, session, "createUser"); // that took time
    const request = { name: username, passwordHash, status, permissions: permissions ?? null };
    const created = await shard.control({ kind: "createUser", request });
    return {
      id: created.userId,
      createdAtMicros: BigInt(created.createdAtMicros),
      status: userStatusOf(created.status),
      username: created.name,
      permissions,
    };
  }),

  command("updateUser", async ({ shard }, session, { user, username, statusCode, options }) => {
    requireNoOptions(options);
    requireRight(shard, session, "updateUser");
    if (username !== undefined) requireUserName(username);
    const status = statusCode === undefined ? undefined : UserStatusCode[userStatusOf(statusCode)];
    if (username !== undefined)
      requireNotRootOfOthers(requireUser(shard.state, user), username, userOf(shard, session));
    await shard.control({ kind: "updateUser", request: { user, name: username, status } });
    return undefined;
  }),

  command("deleteUser", async ({ shard }, session, request) => {
    requireRight(shard, session, "deleteUser");
    await shard.control({ kind: "deleteUser", request });
    return undefined;
  }),

  command("updatePermissions", async ({ shard }, session, { user, permissions }) => {
    requireRight(shard, session, "updatePermissions");
    await shard.control({ kind: "updatePermissions", request: { user, permissions: permissions ?? null } });
    return undefined;
  }),

  command("changePassword", async (context, session, request) => {
    const { shard, sessions, logins } = context;
    requirePassword(request.currentPassword);
    requirePassword(request.newPassword);
    const user = requireUser(shard.state, request.user);
    const requireAllowed = () => {
      if (userOf(shard, session)?.id !== user.id) requireRight(shard, session, "changePassword");
    };
    requireAllowed();
    // The current password of the target, also when an administrator changes it (spec SB 13, trap 51).
    const { passwordHash } = user;
    const refusal = await refusalOfPassword(context, session, {
      name: user.name,
      password: request.currentPassword,
      user,
    });
    if (refusal !== undefined) throw refusal;
    const newHash = await logins.hash(session.address, request.newPassword);
    requireAllowed(); // both took time
    const isOwn = userOf(shard, session)?.id === user.id;
    const change = {
      userId: user.id,
      verifiedHash: passwordHash,
      passwordHash: newHash,
      keptAccessTokenId: isOwn ? session.user?.accessTokenId : undefined,
    };
    await sessions.staysThrough(session, { passwordHash: newHash }, () =>
      shard.control({ kind: "changePassword", request: change }),
    );
    return undefined;
  }),
];
