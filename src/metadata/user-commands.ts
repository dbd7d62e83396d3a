/** Commands on users, planned as in `commands.ts` (spec BP 4.3; spec SB 1.7, 7.1). */
import { IggyError } from "../protocol/errors.ts";
import type { Identifier } from "../protocol/identifier.ts";
import { passwordBytesMax, passwordBytesMin, userNameBytesMax, userNameBytesMin } from "../protocol/limits.ts";
import type { Permissions } from "../protocol/records/permissions.ts";
import type { PasswordChanged, PermissionsUpdated, UserCreated, UserDeleted, UserUpdated } from "./events.ts";
import { peekId } from "./id-allocator.ts";
import { requireUser } from "./lookups.ts";
import {
  activeStatus,
  inactiveStatus,
  type MetadataState,
  rootUserId,
  type User,
  type UserStatus,
  usersMax,
} from "./state.ts";

export interface UserTarget {
  readonly user: Identifier;
}

export interface NewUser {
  readonly name: string;
  readonly passwordHash: string;
  readonly status: UserStatus;
  readonly permissions: Permissions | null;
}

/** What is absent stays as it is. */
export interface UserChange {
  readonly name?: string | undefined;
  readonly status?: UserStatus | undefined;
}

/** Errors: UserAlreadyExists (46), UsersLimitReached (55). The caller has checked the lengths. */
export function planCreateUser(state: MetadataState, request: NewUser, nowMicros: number): UserCreated {
  requireUserNameFree(state, request.name, undefined);
  const userId = peekId(state.users.ids);
  if (userId >= usersMax) throw new IggyError("UsersLimitReached");
  const { name, passwordHash, status, permissions } = request;
  return { kind: "userCreated", userId, name, passwordHash, status, createdAtMicros: nowMicros, permissions };
}

/**
 * Errors: 20, CannotChangePermissions (49) where root or the last one who can manage users is to be inactive, 46; its own name
 * is free. The caller has checked the length.
 */
export function planUpdateUser(state: MetadataState, request: UserTarget & UserChange): UserUpdated {
  const user = requireUser(state, request.user);
  const { name, status } = request;
  if (status === inactiveStatus && (user.id === rootUserId || isLastManager(state, user))) {
    throw new IggyError("CannotChangePermissions", [user.id]);
  }
  if (name !== undefined) requireUserNameFree(state, name, user.id);
  return {
    kind: "userUpdated",
    userId: user.id,
    ...(name === undefined ? {} : { name }),
    ...(status === undefined ? {} : { status }),
  };
}

/** Errors: 20, CannotDeleteUser (48) for root and for the last one who can manage users. */
export function planDeleteUser(state: MetadataState, request: UserTarget): UserDeleted {
  const user = requireUser(state, request.user);
  if (user.id === rootUserId || isLastManager(state, user)) throw new IggyError("CannotDeleteUser", [user.id]);
  return { kind: "userDeleted", userId: user.id };
}

/**
 * Replaces all permissions; null takes them all away. Errors: 20, CannotChangePermissions (49) for root, and where nobody could
 * manage users any more.
 */
export function planUpdatePermissions(
  state: MetadataState,
  request: UserTarget & { readonly permissions: Permissions | null },
): PermissionsUpdated {
  const user = requireUser(state, request.user);
  const { permissions } = request;
  if (user.id === rootUserId || (isLastManager(state, user) && permissions?.global.manageUsers !== true)) {
    throw new IggyError("CannotChangePermissions", [user.id]);
  }
  return { kind: "permissionsUpdated", userId: user.id, permissions };
}

/**
 * Errors: 20. The caller has verified the current password; as that takes time off the event loop, it names the user by the
 * number that it verified.
 */
export function planChangePassword(
  state: MetadataState,
  request: UserTarget & { readonly passwordHash: string; readonly keptAccessTokenId?: string | undefined },
): PasswordChanged {
  const user = requireUser(state, request.user);
  const { passwordHash, keptAccessTokenId } = request;
  return {
    kind: "passwordChanged",
    userId: user.id,
    passwordHash,
    ...(keptAccessTokenId === undefined ? {} : { keptAccessTokenId }),
  };
}

/** 3 to 50 bytes, else InvalidUsername (43). */
export function requireUserName(name: string): void {
  const sizeBytes = Buffer.byteLength(name, "utf8");
  if (sizeBytes < userNameBytesMin || sizeBytes > userNameBytesMax) throw new IggyError("InvalidUsername");
}

/** 3 to 100 bytes, else InvalidPassword (44). */
export function requirePassword(password: string): void {
  const sizeBytes = Buffer.byteLength(password, "utf8");
  if (sizeBytes < passwordBytesMin || sizeBytes > passwordBytesMax) throw new IggyError("InvalidPassword");
}

/** Root is one, unless an earlier version has deactivated it. */
function isLastManager(state: MetadataState, user: User): boolean {
  if (!isManager(user)) return false;
  for (const other of state.users.byId.values()) if (other !== user && isManager(other)) return false;
  return true;
}

function isManager({ status, permissions }: User): boolean {
  return status === activeStatus && permissions?.global.manageUsers === true;
}

function requireUserNameFree(state: MetadataState, name: string, ownId: number | undefined): void {
  const holder = state.users.byName.get(name);
  if (holder !== undefined && holder.id !== ownId) throw new IggyError("UserAlreadyExists");
}
