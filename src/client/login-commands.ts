// The commands of a client that comes back: what changes who is logged in, or with what, is followed, so that a reconnect logs in
// as the last time.

import type { Logins } from "./connection/logins.ts";
import { ExtensionCommands } from "./extension-commands.ts";
import type { IdentifierInput } from "./identifiers.ts";
import type { UpdateUserOptions } from "./user-commands.ts";

export abstract class LoginCommands extends ExtensionCommands {
  protected readonly logins: Logins;

  constructor(logins: Logins) {
    super();
    this.logins = logins;
  }

  /** Logs in by hand; a reconnect, and other connections of the client, do it the same way from then on. */
  override async login(username: string, password: string): Promise<number> {
    const userId = await super.login(username, password);
    this.logins.loggedIn({ username, password }, userId);
    return userId;
  }

  override async loginWithToken(token: string): Promise<number> {
    const userId = await super.loginWithToken(token);
    this.logins.loggedIn({ token }, userId);
    return userId;
  }

  /** Logs out; after it a reconnect does not log in again. */
  override async logout(): Promise<void> {
    await super.logout();
    this.logins.loggedOut();
  }

  /** A reconnect logs in with what the own user is called by then. */
  override async updateUser(user: IdentifierInput, options: UpdateUserOptions): Promise<void> {
    await super.updateUser(user, options);
    if (options.username !== undefined) this.logins.renamed(user, options.username);
  }

  /** A reconnect logs in with the new password of the own user. */
  override async changePassword(user: IdentifierInput, currentPassword: string, newPassword: string): Promise<void> {
    await super.changePassword(user, currentPassword, newPassword);
    this.logins.passwordChanged(user, newPassword);
  }
}
