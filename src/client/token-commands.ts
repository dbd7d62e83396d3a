// Personal access tokens, each of the user who is logged in (spec BP 4.4).

import { CommandCode } from "../protocol/codes.ts";
import type { TokenEntry } from "../protocol/records/token-entry.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { UserCommands } from "./user-commands.ts";

export abstract class TokenCommands extends UserCommands {
  /** Logs in with a personal access token and resolves with the user's id. */
  async loginWithToken(token: string): Promise<number> {
    const codecs = commandCodecs.loginWithPersonalAccessToken;
    return (await this.run(CommandCode.loginWithPersonalAccessToken, codecs, { token })).userId;
  }

  /** Names and ends of the own tokens; `expiryAtMicros`: since the epoch, 0 = never. */
  getPersonalAccessTokens(): Promise<readonly TokenEntry[]> {
    return this.run(CommandCode.getPersonalAccessTokens, commandCodecs.getPersonalAccessTokens, undefined);
  }

  /**
   * The text of a new token of the own user, which the server does not keep. `name`: 3 to 30 bytes; `expiryMicros`: from
   * now on, 0 = never. InvalidPersonalAccessTokenName (50), PersonalAccessTokenAlreadyExists (51),
   * PersonalAccessTokensLimitReached (52).
   */
  async createPersonalAccessToken(name: string, expiryMicros: bigint): Promise<string> {
    const codecs = commandCodecs.createPersonalAccessToken;
    return (await this.run(CommandCode.createPersonalAccessToken, codecs, { name, expiryMicros })).token;
  }

  /** ResourceNotFound (20) if the own user has no token of that name. */
  deletePersonalAccessToken(name: string): Promise<void> {
    return this.run(CommandCode.deletePersonalAccessToken, commandCodecs.deletePersonalAccessToken, { name });
  }
}
