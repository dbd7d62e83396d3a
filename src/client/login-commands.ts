// The commands of a client that comes back: what changes who is logged in, or with what, is followed, so that a reconnect logs in
// as the last time.

import type { Commands } from "./commands/commands.ts";
import type { Logins } from "./connection/logins.ts";

/** The commands that `logins` is told about. */
export function followed(commands: Commands, logins: Logins): Commands {
  return {
    ...commands,
    async login(username, password) {
      const userId = await commands.login(username, password);
      logins.loggedIn({ username, password }, userId);
      return userId;
    },
    async loginWithToken(token) {
      const userId = await commands.loginWithToken(token);
      logins.loggedIn({ token }, userId);
      return userId;
    },
    async logout() {
      await commands.logout();
      logins.loggedOut();
    },
    async updateUser(user, options) {
      await commands.updateUser(user, options);
      if (options.username !== undefined) logins.renamed(user, options.username);
    },
    async changePassword(user, currentPassword, newPassword) {
      await commands.changePassword(user, currentPassword, newPassword);
      logins.passwordChanged(user, newPassword);
    },
  };
}
