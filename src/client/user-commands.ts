// Login, users and their rights (spec BP 4.3). What another user has or may do needs the right to read or manage users,
// else Unauthorized (41); user names have 3 to 50 bytes, passwords 3 to 100.

import { CommandCode } from "../protocol/codes.ts";
import { type UserStatus, UserStatusCode } from "../protocol/records/enumerations.ts";
import type { Permissions } from "../protocol/records/permissions.ts";
import type { UserDetails, UserHeader } from "../protocol/records/user-header.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { type IdentifierInput, identifierOf } from "./identifiers.ts";
import { SystemCommands } from "./system-commands.ts";

/** A new user: active and without any right if not told otherwise. */
export type CreateUserOptions = {
  readonly username: string;
  readonly password: string;
  readonly status?: UserStatus;
  readonly permissions?: Permissions;
};

/** What is to change; the rest stays. */
export type UpdateUserOptions = { readonly username?: string; readonly status?: UserStatus };

export abstract class UserCommands extends SystemCommands {
  /** Logs in and resolves with the user's id. */
  async login(username: string, password: string): Promise<number> {
    const request = { username, password, version: undefined, context: undefined };
    return (await this.run(CommandCode.loginUser, commandCodecs.loginUser, request)).userId;
  }

  logout(): Promise<void> {
    return this.run(CommandCode.logoutUser, commandCodecs.logoutUser, undefined);
  }

  /**
   * A user with its permissions, `undefined` if there is none. The own user needs no right. Unauthorized (41) for another
   * one without the right to read users, by number also for one that does not exist.
   */
  getUser(user: IdentifierInput): Promise<UserDetails | undefined> {
    return this.find(CommandCode.getUser, commandCodecs.getUser, { user: identifierOf(user) });
  }

  /** All users, without their permissions. Unauthorized (41). */
  getUsers(): Promise<readonly UserHeader[]> {
    return this.run(CommandCode.getUsers, commandCodecs.getUsers, undefined);
  }

  /** Unauthorized (41), InvalidUsername (43), InvalidPassword (44), UserAlreadyExists (46), UsersLimitReached (55). */
  createUser(options: CreateUserOptions): Promise<UserDetails> {
    const { username, password, status = "active", permissions } = options;
    const request = { username, password, statusCode: UserStatusCode[status], permissions };
    return this.run(CommandCode.createUser, commandCodecs.createUser, request);
  }

  /**
   * Renames a user or changes its status; an inactive one cannot log in. Unauthorized (41), InvalidUsername (43),
   * ResourceNotFound (20) for an unknown user, UserAlreadyExists (46) for a name that is taken.
   */
  updateUser(user: IdentifierInput, options: UpdateUserOptions): Promise<void> {
    const { username, status } = options;
    const statusCode = status === undefined ? undefined : UserStatusCode[status];
    const request = { user: identifierOf(user), username, statusCode };
    return this.run(CommandCode.updateUser, commandCodecs.updateUser, request);
  }

  /** Unauthorized (41), ResourceNotFound (20), CannotDeleteUser (48) for the root user. */
  deleteUser(user: IdentifierInput): Promise<void> {
    return this.run(CommandCode.deleteUser, commandCodecs.deleteUser, { user: identifierOf(user) });
  }

  /**
   * Replaces all permissions; `undefined` takes every right away. Unauthorized (41), ResourceNotFound (20),
   * CannotChangePermissions (49) for the root user.
   */
  updatePermissions(user: IdentifierInput, permissions: Permissions | undefined): Promise<void> {
    const request = { user: identifierOf(user), permissions };
    return this.run(CommandCode.updatePermissions, commandCodecs.updatePermissions, request);
  }

  /**
   * The current password is that of `user`, also where an administrator changes it. InvalidPassword (44),
   * ResourceNotFound (20), Unauthorized (41) for another user, InvalidCredentials (42) if the current one is wrong.
   */
  changePassword(user: IdentifierInput, currentPassword: string, newPassword: string): Promise<void> {
    const request = { user: identifierOf(user), currentPassword, newPassword };
    return this.run(CommandCode.changePassword, commandCodecs.changePassword, request);
  }
}
