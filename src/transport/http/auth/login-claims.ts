// What an access token says about the login that it was given for, besides the claims of the original. Tokens of older versions
// and of other programs with the secret say nothing: they count as given before anything was changed.
import type { UserLogin } from "../../../server/index.ts";

/** As it stands in a token. */
export type LoginClaims = {
  /** When its user was created, in µs. */
  readonly user_created?: number;
  readonly credentials_version?: number;
  /** Hash of the personal access token that was shown. */
  readonly token_hash?: string;
  /** When somebody last logged in with a password or personal access token, in seconds (OpenID Connect Core 1.0, 2). */
  readonly auth_time: number;
};

/** The login of a token, as far as the token says. */
export interface ClaimedLogin {
  readonly userId: number;
  readonly tokenId: string;
  readonly issuedSeconds: number;
  readonly authSeconds: number;
  readonly createdAtMicros: number | undefined;
  readonly credentialsVersion: number;
  readonly tokenHash: string | undefined;
}

export function claimsOf(login: UserLogin, authSeconds: number): LoginClaims {
  const { createdAtMicros, credentialsVersion = 0, tokenHash } = login;
  return {
    user_created: createdAtMicros,
    credentials_version: credentialsVersion,
    ...(tokenHash === undefined ? {} : { token_hash: tokenHash }),
    auth_time: authSeconds,
  };
}

/** Undefined where a claim is missing that every token has. `claims`: of a token whose signature is right. */
export function readLogin(claims: Readonly<Record<string, unknown>>): ClaimedLogin | undefined {
  const { jti, sub, iat, auth_time, user_created, credentials_version, token_hash } = claims;
  if (typeof jti !== "string" || typeof iat !== "number" || typeof sub !== "string") return undefined;
  if (!/^\d{1,10}$/.test(sub) || Number(sub) >= 2 ** 32) return undefined;
  return {
    userId: Number(sub),
    tokenId: jti,
    issuedSeconds: iat,
    authSeconds: typeof auth_time === "number" ? auth_time : iat,
    createdAtMicros: typeof user_created === "number" ? user_created : undefined,
    credentialsVersion: typeof credentials_version === "number" ? credentials_version : 0,
    tokenHash: typeof token_hash === "string" ? token_hash : undefined,
  };
}
