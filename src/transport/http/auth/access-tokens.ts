// Access tokens: issued at login, checked with every request, exchanged, revoked (spec HA 4, SB 7.7). A token that was
// checked once is remembered, so that a request costs a lookup and no signature.
import type { KeyObject } from "node:crypto";
import { jwt } from "@elysiajs/jwt";
import { decodeJwt, decodeProtectedHeader } from "jose";
import type { Config } from "../../../config/schema/index.ts";
import { needsKeyPair, readTokenKeys } from "../../../config/token-keys.ts";
import type { Clock } from "../../../platform/clock.ts";
import { systemRandom } from "../../../platform/random.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { u64Max } from "../../../protocol/limits.ts";
import { createHttpSession, type Session, type SessionUser } from "../../../server/index.ts";
import type { Revocations } from "./revocations.ts";
import { foreignLeewaySeconds, requiredClaims, type TrustedIssuers } from "./trusted-issuers.ts";

type JwtConfig = Config["http"]["jwt"];

export interface AccessToken {
  readonly userId: number;
  readonly token: string;
  readonly expirySeconds: number;
}

/** Who sends a request: a valid token with the session that its requests share. */
export interface Caller {
  readonly session: Session;
  readonly tokenId: string;
  /** `iat` of the token. */
  readonly issuedSeconds: number;
  /** `exp` of the token. */
  readonly expirySeconds: number;
  /** No longer accepted from this time on: the expiry with its leeway. */
  readonly endSeconds: number;
}

export interface AccessTokensOptions {
  readonly config: JwtConfig;
  readonly clock: Clock;
  readonly revocations: Revocations;
  readonly trustedIssuers: TrustedIssuers;
  /** When the user was created, µs; undefined for one that does not exist (any more). */
  readonly userCreatedAtMicros: (userId: number) => number | undefined;
}

/** Known to the token library of the original; others are no tokens to it. */
const knownAlgorithms = new Set([
  ...["HS256", "HS384", "HS512", "RS256", "RS384", "RS512"],
  ...["PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"],
]);
/** Life of a token that never expires (spec HA 4.1). */
const neverSeconds = 1_000_000_000;
const secretBytes = 64;
/** Creation time of no user: what its session does is refused. */
const nobodysTime = 0;
const rememberedMax = 4096;

export class AccessTokens {
  readonly #options: AccessTokensOptions;
  readonly #signer;
  readonly #verifier;
  /** By token text, the one used last at the end. */
  readonly #callers = new Map<string, Caller>();

  /** Throws TokenKeyError. */
  constructor(options: AccessTokensOptions) {
    const { algorithm, issuer, audience } = options.config;
    const { encodingKey, decodingKey } = keysOf(options.config);
    this.#options = options;
    this.#signer = jwt({ secret: encodingKey, alg: algorithm, iss: issuer, aud: audience }).decorator.jwt;
    this.#verifier = jwt({ secret: decodingKey }).decorator.jwt;
  }

  /** Errors: CannotGenerateJwt (76). */
  async issue(userId: number): Promise<AccessToken> {
    const { accessTokenExpiry, notBeforeMicros } = this.#options.config;
    const nowSeconds = this.#nowSeconds();
    const expirySeconds = nowSeconds + lifeSeconds(accessTokenExpiry);
    const nbf = nowSeconds + Math.floor(notBeforeMicros / 1e6);
    try {
      const token = await this.#signer.sign({ jti: Bun.randomUUIDv7(), sub: String(userId), exp: expirySeconds, nbf });
      return { userId, token, expirySeconds };
    } catch (cause) {
      throw new IggyError("CannotGenerateJwt", [], { cause });
    }
  }

  /** The caller of a bearer token; undefined if it is not valid (any more). */
  async authenticate(token: string): Promise<Caller | undefined> {
    const known = this.#callers.get(token);
    if (known !== undefined) {
      if (!this.#isCurrent(known)) {
        this.#callers.delete(token);
        return undefined;
      }
      return known;
    }
    const caller = await this.#verify(token);
    if (caller === undefined || !this.#isCurrent(caller)) return undefined;
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

  /**
   * Exchanges a token for a new one of the same user, once (spec HA 4.4). Errors: InvalidAccessToken (78),
   * InvalidJwtAlgorithm (73), Unauthenticated (40).
   */
  async refresh(token: string): Promise<AccessToken> {
    const { config, revocations, trustedIssuers } = this.#options;
    const algorithm = algorithmOf(token);
    if (algorithm === undefined || trustedIssuers.claims(token)) throw new IggyError("InvalidAccessToken");
    if (algorithm !== config.algorithm) throw new IggyError("InvalidJwtAlgorithm", [algorithm]);
    const caller = await this.#verifyOwn(token);
    if (caller?.session.user === undefined) throw new IggyError("Unauthenticated");
    if (revocations.has(caller)) throw new IggyError("InvalidAccessToken");
    // A token of a user that is gone would otherwise become a fresh one of whoever got the number next.
    if (caller.session.user.createdAtMicros === nobodysTime) throw new IggyError("Unauthenticated");
    await this.revoke(caller);
    return this.issue(caller.session.user.id);
  }

  #isCurrent(caller: Caller): boolean {
    return this.#nowSeconds() <= caller.endSeconds && !this.#options.revocations.has(caller);
  }

  async #verify(token: string): Promise<Caller | undefined> {
    const { trustedIssuers } = this.#options;
    if (!trustedIssuers.claims(token)) return this.#verifyOwn(token);
    const foreign = await trustedIssuers.verify(token);
    if (foreign === undefined) return undefined;
    const { tokenId, issuedSeconds, userId, expirySeconds } = foreign;
    const endSeconds = expirySeconds + foreignLeewaySeconds;
    const createdAtMicros = this.#options.userCreatedAtMicros(userId) ?? nobodysTime;
    const session = createHttpSession("", { id: userId, createdAtMicros });
    return { session, tokenId, issuedSeconds, expirySeconds, endSeconds };
  }

  async #verifyOwn(token: string): Promise<Caller | undefined> {
    const { algorithm, validIssuers, validAudiences, clockSkewMicros } = this.#options.config;
    const skewSeconds = Math.floor(clockSkewMicros / 1e6);
    const claims = await this.#verifier.verify(token, {
      algorithms: [algorithm],
      issuer: [...validIssuers],
      audience: [...validAudiences],
      // The library refuses from the very second on, the original only after it (spec HA 4.2).
      clockTolerance: skewSeconds + 1,
      requiredClaims,
    });
    if (claims === false) return undefined;
    const { jti, sub, exp, iat } = claims;
    if (typeof jti !== "string" || typeof exp !== "number" || typeof iat !== "number" || typeof sub !== "string")
      return undefined;
    if (!/^\d{1,10}$/.test(sub) || Number(sub) >= 2 ** 32) return undefined;
    const session = createHttpSession("", this.#userOf(Number(sub), iat));
    return { session, tokenId: jti, issuedSeconds: iat, expirySeconds: exp, endSeconds: exp + skewSeconds };
  }

  /**
   * Whom a token means. Numbers of users are given again: one that was issued before the user was created belonged to
   * somebody else, who may do nothing any more.
   */
  #userOf(id: number, issuedSeconds: number): SessionUser {
    const createdAtMicros = this.#options.userCreatedAtMicros(id);
    const isTheirs = createdAtMicros !== undefined && Math.floor(createdAtMicros / 1e6) <= issuedSeconds;
    return { id, createdAtMicros: isTheirs ? createdAtMicros : nobodysTime };
  }

  #nowSeconds(): number {
    return Math.floor(this.#options.clock.nowMicros() / 1e6);
  }
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

interface Keys {
  readonly encodingKey: Uint8Array | KeyObject;
  readonly decodingKey: Uint8Array | KeyObject;
}

/**
 * A key pair for RS…. Else secrets: one serves for both if only one is set; without any, tokens end with the process (spec
 * HA 4.3). Throws TokenKeyError.
 */
function keysOf(config: JwtConfig): Keys {
  if (needsKeyPair(config)) {
    const { privateKey, publicKey } = readTokenKeys(config);
    return { encodingKey: privateKey, decodingKey: publicKey };
  }
  const { encodingSecret, decodingSecret } = config;
  if (encodingSecret === "" && decodingSecret === "") {
    const key = new Uint8Array(secretBytes);
    systemRandom.fill(key);
    return { encodingKey: key, decodingKey: key };
  }
  const encoding = config.useBase64Secret ? "base64" : "utf8";
  return {
    encodingKey: Buffer.from(encodingSecret || decodingSecret, encoding),
    decodingKey: Buffer.from(decodingSecret || encodingSecret, encoding),
  };
}
