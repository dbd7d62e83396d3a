// Access tokens: issued at login, checked with every request, exchanged, revoked (spec HA 4, SB 7.7). A token that was
// checked once is remembered, so that a request costs a lookup and no signature.
import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { Config } from "../../../config/schema/index.ts";
import type { Clock } from "../../../platform/clock.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { u64Max } from "../../../protocol/limits.ts";
import { createHttpSession, type Session, type UserLogin } from "../../../server/index.ts";
import { type ClaimedLogin, type ConsoleSignIn, claimsOf, readLogin, type TokenUse } from "./login-claims.ts";
import type { Revocations } from "./revocations.ts";
import { groundOf, type TokenGround } from "./token-ground.ts";
import { foreignLeewaySeconds, requiredClaims, type TrustedIssuers } from "./trusted-issuers.ts";

type JwtConfig = Config["http"]["jwt"];

export interface AccessToken {
  readonly userId: number;
  readonly token: string;
  readonly expirySeconds: number;
}

/** Who sends a request: a valid token with the session that its requests share. */
export interface Caller extends TokenUse {
  readonly session: Session;
  readonly tokenId: string;
  /** `iat` of the token. */
  readonly issuedSeconds: number;
  /** When its user last showed a password or personal access token. */
  readonly authSeconds: number;
  /** `exp` of the token. */
  readonly expirySeconds: number;
  /** No longer accepted from this time on: the expiry with its leeway. */
  readonly endSeconds: number;
}

interface TokenTimes {
  readonly nowSeconds: number;
  readonly authSeconds: number;
  readonly endSeconds: number;
}

export interface AccessTokensOptions {
  readonly config: JwtConfig;
  readonly clock: Clock;
  readonly revocations: Revocations;
  readonly trustedIssuers: TrustedIssuers;
  /** As it was when the broker started; as it is now when absent. */
  readonly ground?: TokenGround;
  /** What a login of the user would be now; undefined for one that does not exist (any more). */
  readonly loginOf: (userId: number) => UserLogin | undefined;
  /** Whether a login still holds. */
  readonly isLoggedIn: (login: UserLogin) => boolean;
}

/** Known to the token library of the original; others are no tokens to it. */
const knownAlgorithms = new Set([
  ...["HS256", "HS384", "HS512", "RS256", "RS384", "RS512"],
  ...["PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"],
]);
/** Life of a token that never expires (spec HA 4.1). */
const neverSeconds = 1_000_000_000;
const rememberedMax = 4096;

export class AccessTokens {
  readonly #options: AccessTokensOptions;
  readonly #encodingKey: TokenGround["encodingKey"];
  readonly #decodingKey: TokenGround["decodingKey"];
  /** `TokenGround.vouchedFor`, and those who came later, as they were when somebody vouched for them first. */
  readonly #vouchedFor: Map<number, number>;
  /** By token text, the one used last at the end. */
  readonly #callers = new Map<string, Caller>();

  /** Throws TokenKeyError. */
  constructor(options: AccessTokensOptions) {
    const { encodingKey, decodingKey, vouchedFor } = options.ground ?? groundOf(options.config, options.loginOf);
    this.#options = options;
    this.#encodingKey = encodingKey;
    this.#decodingKey = decodingKey;
    this.#vouchedFor = new Map(vouchedFor);
  }

  /** For a login that has just been made, by a client of 0.9 or another. Errors: CannotGenerateJwt (76). */
  issue(login: UserLogin, isOf09 = false): Promise<AccessToken> {
    return this.#issueFirst(login, { isOf09, console: undefined });
  }

  /** The same for a sign-in at the console. */
  issueForConsole(login: UserLogin, console: ConsoleSignIn): Promise<AccessToken> {
    return this.#issueFirst(login, { isOf09: false, console });
  }

  #issueFirst(login: UserLogin, use: TokenUse): Promise<AccessToken> {
    const nowSeconds = this.#nowSeconds();
    return this.#issue(login, { nowSeconds, authSeconds: nowSeconds, endSeconds: Number.POSITIVE_INFINITY }, use);
  }

  /** `nowSeconds`: one look at the clock for all that the token says. `endSeconds`: it does not last longer. */
  async #issue(
    login: UserLogin,
    { nowSeconds, authSeconds, endSeconds }: TokenTimes,
    use: TokenUse,
  ): Promise<AccessToken> {
    const { algorithm, issuer, audience, accessTokenExpiry, notBeforeMicros } = this.#options.config;
    const expirySeconds = Math.min(endSeconds, nowSeconds + lifeSeconds(accessTokenExpiry));
    const nbf = nowSeconds + Math.floor(notBeforeMicros / 1e6);
    try {
      const token = await new SignJWT({ ...claimsOf(login, authSeconds, use) })
        .setProtectedHeader({ alg: algorithm, typ: "JWT" })
        .setIssuer(issuer)
        .setAudience(audience)
        .setJti(Bun.randomUUIDv7())
        .setSubject(String(login.id))
        .setIssuedAt(nowSeconds)
        .setNotBefore(nbf)
        .setExpirationTime(expirySeconds)
        .sign(this.#encodingKey);
      return { userId: login.id, token, expirySeconds };
    } catch (cause) {
      throw new IggyError("CannotGenerateJwt", [], { cause });
    }
  }

  /** The caller of the REST API; undefined if its token is not valid (any more), or is one of the console. */
  async authenticate(token: string): Promise<Caller | undefined> {
    const caller = await this.authenticateAny(token);
    return caller?.console === undefined ? caller : undefined;
  }

  /** The caller of a token of either kind. */
  async authenticateAny(token: string): Promise<Caller | undefined> {
    const known = this.#callers.get(token);
    if (known !== undefined) {
      if (!this.isCurrent(known)) {
        this.#callers.delete(token);
        return undefined;
      }
      return known;
    }
    const caller = await this.#verify(token);
    if (caller === undefined || !this.isCurrent(caller)) return undefined;
    if (this.#callers.size >= rememberedMax) {
      for (const oldest of this.#callers.keys()) {
        this.#callers.delete(oldest);
        break;
      }
    }
    this.#callers.set(token, caller);
    return caller;
  }

  /** Revokes the token of the caller. Errors: CannotOverwriteFile (10007); the token is dead all the same. */
  revoke(caller: Caller): Promise<void> {
    return this.#options.revocations.revoke(caller.tokenId, caller.expirySeconds);
  }

  /** Ends a sign-in at the console with every token that it was renewed with. Errors as `revoke`. */
  revokeSignIn({ id }: ConsoleSignIn): Promise<void> {
    const lastEndSeconds = this.#nowSeconds() + lifeSeconds(this.#options.config.accessTokenExpiry);
    return this.#options.revocations.revoke(id, lastEndSeconds);
  }

  /**
   * A new token for a sign-in at the console, until the login that it goes back to is too old. The earlier one stays: two
   * windows may ask at once. Errors: Unauthenticated (40).
   */
  renew(caller: Caller): Promise<AccessToken> {
    return this.#exchange(caller);
  }

  /**
   * Exchanges a token for a new one of the same user, once (spec HA 4.4), until the login that it goes back to is too old.
   * Errors: InvalidAccessToken (78), InvalidJwtAlgorithm (73), Unauthenticated (40).
   */
  async refresh(token: string): Promise<AccessToken> {
    const { config, revocations, trustedIssuers } = this.#options;
    const algorithm = algorithmOf(token);
    if (algorithm === undefined || trustedIssuers.claims(token)) throw new IggyError("InvalidAccessToken");
    if (algorithm !== config.algorithm) throw new IggyError("InvalidJwtAlgorithm", [algorithm]);
    const caller = await this.#verifyOwn(token);
    const login = caller?.session.user;
    if (caller === undefined || login === undefined) throw new IggyError("Unauthenticated");
    if (revocations.has(caller) || caller.console !== undefined) throw new IggyError("InvalidAccessToken");
    if (!this.#options.isLoggedIn(login)) throw new IggyError("Unauthenticated");
    if (this.#nowSeconds() >= this.#lastEndSeconds(caller)) throw new IggyError("Unauthenticated");
    await this.revoke(caller);
    return this.#exchange(caller);
  }

  /** When the login that a token goes back to is too old for another one. */
  #lastEndSeconds({ authSeconds }: Caller): number {
    return authSeconds + lifeSeconds(this.#options.config.refreshExpiry);
  }

  /** Another token in the place of one that is valid, or was until now. Errors: Unauthenticated (40). */
  async #exchange(caller: Caller): Promise<AccessToken> {
    const { authSeconds, expirySeconds, isOf09, console } = caller;
    const endSeconds = this.#lastEndSeconds(caller);
    const login = caller.session.user;
    // As of now: the token that asked for a new password is kept by its id, which the new one does not have.
    const current = login === undefined ? undefined : this.#options.loginOf(login.id);
    if (login === undefined || current === undefined) throw new IggyError("Unauthenticated");
    const nowSeconds = this.#nowSeconds();
    if (nowSeconds >= endSeconds) throw new IggyError("Unauthenticated");
    const times = { nowSeconds, authSeconds, endSeconds: Math.max(endSeconds, expirySeconds) };
    return this.#issue({ ...login, credentialsVersion: current.credentialsVersion }, times, { isOf09, console });
  }

  /** Whether the token of a caller holds: not expired, not revoked, its login not over. */
  isCurrent(caller: Caller): boolean {
    const { user } = caller.session;
    if (user === undefined || this.#nowSeconds() > caller.endSeconds) return false;
    const { revocations, isLoggedIn } = this.#options;
    const { console, issuedSeconds } = caller;
    const isSignedOut = console !== undefined && revocations.has({ tokenId: console.id, issuedSeconds });
    return !isSignedOut && !revocations.has(caller) && isLoggedIn(user);
  }

  async #verify(token: string): Promise<Caller | undefined> {
    const { trustedIssuers } = this.#options;
    if (!trustedIssuers.claims(token)) return this.#verifyOwn(token);
    const foreign = await trustedIssuers.verify(token);
    if (foreign === undefined) return undefined;
    const { tokenId, issuedSeconds, userId, expirySeconds } = foreign;
    const endSeconds = expirySeconds + foreignLeewaySeconds;
    const login = this.#options.loginOf(userId);
    if (login === undefined || isOlder(issuedSeconds, login) || !this.#isVouchedFor(login)) return undefined;
    // Its issuer vouches for it, whatever becomes of a password.
    const session = createHttpSession("", { ...login, credentialsVersion: undefined });
    const use = { isOf09: false, console: undefined };
    return { session, tokenId, issuedSeconds, authSeconds: issuedSeconds, expirySeconds, endSeconds, ...use };
  }

  /** Whether this is the user whom the configuration meant when it was first there. */
  #isVouchedFor(login: UserLogin): boolean {
    const { id, createdAtMicros } = login;
    const known = this.#vouchedFor.get(id) ?? createdAtMicros;
    this.#vouchedFor.set(id, known);
    return known === createdAtMicros;
  }

  async #verifyOwn(token: string): Promise<Caller | undefined> {
    const skewSeconds = Math.floor(this.#options.config.clockSkewMicros / 1e6);
    const claims = await this.#claimsOf(token, skewSeconds);
    if (claims === undefined) return undefined;
    const claimed = readLogin(claims);
    const { exp } = claims;
    if (claimed === undefined || typeof exp !== "number") return undefined;
    const { tokenId, issuedSeconds, authSeconds, isOf09, console } = claimed;
    const login = this.#loginOf(claimed);
    if (login === undefined) return undefined;
    const session = createHttpSession("", login);
    session.isOfConsole = console !== undefined;
    const endSeconds = exp + skewSeconds;
    return { session, tokenId, issuedSeconds, authSeconds, expirySeconds: exp, endSeconds, isOf09, console };
  }

  /** What a token says; undefined for one that this broker did not sign, or whose time has not come or is over. */
  async #claimsOf(token: string, skewSeconds: number): Promise<JWTPayload | undefined> {
    const { algorithm, validIssuers, validAudiences } = this.#options.config;
    try {
      const { payload } = await jwtVerify(token, this.#decodingKey, {
        algorithms: [algorithm],
        issuer: [...validIssuers],
        audience: [...validAudiences],
        currentDate: new Date(this.#options.clock.nowMicros() / 1e3),
        // The library refuses from the very second on, the original only after it (spec HA 4.2).
        clockTolerance: skewSeconds + 1,
        requiredClaims,
      });
      return payload;
    } catch {
      return undefined; // the library's word for a token that is not valid
    }
  }

  /**
   * Whose login a token means; undefined: of somebody who is gone. Numbers of users are given again: one that does not say
   * when its user was created, and was issued before that, belonged to an earlier holder of the number.
   */
  #loginOf(claimed: ClaimedLogin): UserLogin | undefined {
    const { userId, tokenId, issuedSeconds, credentialsVersion, tokenHash } = claimed;
    const current = this.#options.loginOf(userId);
    if (current === undefined) return undefined;
    if (claimed.createdAtMicros === undefined && isOlder(issuedSeconds, current)) return undefined;
    const createdAtMicros = claimed.createdAtMicros ?? current.createdAtMicros;
    return { id: userId, createdAtMicros, credentialsVersion, tokenHash, accessTokenId: tokenId };
  }

  #nowSeconds(): number {
    return Math.floor(this.#options.clock.nowMicros() / 1e6);
  }
}

/** Whether a token was issued before the user was created. */
function isOlder(issuedSeconds: number, { createdAtMicros }: UserLogin): boolean {
  return issuedSeconds < Math.floor(createdAtMicros / 1e6);
}

/** The algorithm that a token names; undefined for what is no token. */
function algorithmOf(token: string): string | undefined {
  try {
    const { alg } = decodeProtectedHeader(token);
    decodeJwt(token);
    return alg !== undefined && knownAlgorithms.has(alg) ? alg : undefined;
  } catch {
    return undefined; // the library's word for "no token"
  }
}

function lifeSeconds(expiryMicros: bigint): number {
  return expiryMicros === u64Max ? neverSeconds : Number(expiryMicros / 1_000_000n);
}
