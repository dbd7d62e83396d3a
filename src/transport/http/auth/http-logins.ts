// Logins over HTTP, of the REST API and of the console: the same checks, the same throttle.
import { encodeUtf8 } from "../../../protocol/byte-writer.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { passwordBytesMax, passwordBytesMin, userNameBytesMax, userNameBytesMin } from "../../../protocol/limits.ts";
import { createHttpSession, execute, type ServerContext, type UserLogin } from "../../../server/index.ts";
import { requireFound } from "../errors.ts";
import { isNameSize, parseU32 } from "../identifiers.ts";

export interface PasswordLogin {
  readonly username: string;
  readonly password: string;
  /** What the client says about itself. */
  readonly version?: string | undefined;
  readonly context?: string | undefined;
}

/** Errors: InvalidIdentifier (6), InvalidCredentials (42), CannotEstablishConnection (9) when too many logins wait. */
export async function logInWithPassword(
  context: ServerContext,
  peer: string,
  { username: given, password, version, context: clientContext }: PasswordLogin,
): Promise<UserLogin> {
  if (!isNameSize(given)) throw new IggyError("InvalidIdentifier");
  const username = nameOf(context, given);
  // No user has such a name or password: the answer is that of a wrong one (spec HA 2.9).
  if (!isWithin(username, userNameBytesMin, userNameBytesMax)) throw new IggyError("InvalidCredentials");
  if (!isWithin(password, passwordBytesMin, passwordBytesMax)) throw new IggyError("InvalidCredentials");
  const session = createHttpSession(peer, undefined);
  await execute(context, session, "loginUser", { username, password, version, context: clientContext });
  return requireFound(session.user);
}

/** Errors: ResourceNotFound (20), PersonalAccessTokenExpired (53), CannotEstablishConnection (9). */
export async function logInWithToken(context: ServerContext, peer: string, token: string): Promise<UserLogin> {
  if (!isNameSize(token)) throw unknownToken();
  const session = createHttpSession(peer, undefined);
  try {
    await execute(context, session, "loginWithPersonalAccessToken", { token });
  } catch (error) {
    if (error instanceof IggyError && error.errorName === "ResourceNotFound") throw unknownToken();
    throw error;
  }
  return requireFound(session.user);
}

/** Whether a text has so many bytes of UTF-8. */
export function isWithin(text: string, bytesMin: number, bytesMax: number): boolean {
  const sizeBytes = encodeUtf8(text).length;
  return sizeBytes >= bytesMin && sizeBytes <= bytesMax;
}

/** Digits are the number of a user before they are a name (spec HA 2.9). */
function nameOf({ shard }: ServerContext, username: string): string {
  const userId = parseU32(username);
  return (userId === undefined ? undefined : shard.state.users.byId.get(userId)?.name) ?? username;
}

/** Unlike the original's, the answer does not repeat a secret (spec HA 8, trap 17). */
function unknownToken(): IggyError {
  return new IggyError("ResourceNotFound", ["personal access token"]);
}
