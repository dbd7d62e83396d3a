// Personal access tokens (spec BP 4.4, SB 7.5). Only the hash of a token is kept; the text is shown once.
import { findToken, isTokenExpired, requireTokenName, tokensOf } from "../../metadata/index.ts";
import { IggyError } from "../../protocol/errors.ts";
import { UserStatusCode } from "../../protocol/records/enumerations.ts";
import { blake3Hex } from "../../security/blake3.ts";
import { command } from "../command.ts";
import type { ServerContext } from "../context.ts";
import { tokenLogin } from "../login.ts";
import { userOf } from "../rights.ts";
import { requireRecord, type Session } from "../session.ts";

const tokenBytes = 50;

/** The number of the own user. Throws ResourceNotFound (20) if it was deleted. */
function requireOwnId({ shard }: ServerContext, session: Session): number {
  const user = userOf(shard, session);
  if (user === undefined) throw new IggyError("ResourceNotFound", ["the own user"]);
  return user.id;
}

export const tokenCommands = [
  command("getPersonalAccessTokens", (context, session) =>
    tokensOf(context.shard.state, requireOwnId(context, session)).map(({ name, expiryAtMicros }) => ({
      name,
      expiryAtMicros,
    })),
  ),

  command("createPersonalAccessToken", async (context, session, { name, expiryMicros }) => {
    requireTokenName(name);
    const userId = requireOwnId(context, session);
    const token = Buffer.from(crypto.getRandomValues(new Uint8Array(tokenBytes))).toString("base64");
    const request = { userId, name, tokenHash: blake3Hex(token), expiryMicros };
    await context.shard.control({ kind: "createToken", request });
    return { token };
  }),

  command("deletePersonalAccessToken", async (context, session, { name }) => {
    const userId = requireOwnId(context, session);
    const { shard, sessions } = context;
    await sessions.staysThrough(session, { tokenName: name }, () =>
      shard.control({ kind: "deleteToken", request: { userId, name } }),
    );
    return undefined;
  }),

  command(
    "loginWithPersonalAccessToken",
    (context, session, { token }) =>
      tokenLogin(context, session, () => {
        const { shard, sessions, clock } = context;
        const tokenHash = blake3Hex(token);
        const found = findToken(shard.state, tokenHash);
        if (found === undefined) return new IggyError("ResourceNotFound", ["personal access token"]);
        const { user } = found;
        if (isTokenExpired(found.token, clock.nowMicros())) {
          return new IggyError("PersonalAccessTokenExpired", [found.token.name, user.id]);
        }
        // Metadata is lost, and with it perhaps that this token was deleted: that holds for those of root, too.
        if (shard.state.areUsersLocked) return new IggyError("UserInactive");
        if (user.status !== UserStatusCode.active) return new IggyError("UserInactive");
        requireRecord(session);
        sessions.logIn(session, user, tokenHash);
        return { userId: user.id };
      }),
    { needsLogin: false },
  ),
];
