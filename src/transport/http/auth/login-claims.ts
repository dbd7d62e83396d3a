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
  /** Its login said that its client is one of 0.9; absent for one of 0.8. */
  readonly client_protocol?: "0.9";
  /** Id of a sign-in at the console; absent in tokens of the REST API. (`sid` may be in tokens of other programs.) */
  readonly console_session?: string;
  /** The sign-in asked for a session that changes nothing. */
  readonly console_read_only?: true;
};

/** A sign-in at the console: all tokens that it is renewed with have its id, and end with it. */
export interface ConsoleSignIn {
  readonly id: string;
  readonly isReadOnly: boolean;
}

/** For whom a token is. */
export interface TokenUse {
  /** Its answers are those of 0.9 (spec P9 12), where they differ. */
  readonly isOf09: boolean;
  /** Undefined: for the REST API. */
  readonly console: ConsoleSignIn | undefined;
}

/** The login of a token, as far as the token says. */
export interface ClaimedLogin extends TokenUse {
  readonly userId: number;
  readonly tokenId: string;
  readonly issuedSeconds: number;
  readonly authSeconds: number;
  readonly createdAtMicros: number | undefined;
  readonly credentialsVersion: number;
  readonly tokenHash: string | undefined;
}

export function claimsOf(login: UserLogin, authSeconds: number, { isOf09, console }: TokenUse): LoginClaims {
  const { createdAtMicros, credentialsVersion = 0, tokenHash } = login;
  return {
    user_created: createdAtMicros,
    credentials_version: credentialsVersion,
    ...(tokenHash === undefined ? {} : { token_hash: tokenHash }),
    auth_time: authSeconds,
    ...(isOf09 ? { client_protocol: "0.9" } : {}),
    ...(console === undefined ? {} : { console_session: console.id }),
    ...(console?.isReadOnly ? { console_read_only: true } : {}),
  };
}

/**
 * Whether the version that a login names is that of a client of 0.9: the Rust SDK, the only one whose version is known there,
 * sends that of its crate, 0.11.0 (spec P9 12).
 */
export function isVersionOf09(version: string | null | undefined): boolean {
  const [, major, minor] = /^(\d{1,6})\.(\d{1,6})\./.exec(version ?? "") ?? [];
  return Number(major) > 0 || Number(minor) >= 11;
}

/** Undefined where a claim is missing that every token has. `claims`: of a token whose signature is right. */
export function readLogin(claims: Readonly<Record<string, unknown>>): ClaimedLogin | undefined {
  const { jti, sub, iat, auth_time, user_created, credentials_version, token_hash, client_protocol } = claims;
  const { console_session: id, console_read_only } = claims;
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
    isOf09: client_protocol === "0.9",
    console: typeof id === "string" ? { id, isReadOnly: console_read_only === true } : undefined,
  };
}
