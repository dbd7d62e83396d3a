// Tokens of other issuers, checked with the keys that they publish (spec HA 4.5, SB 7.8). The library's key set fetches an
// unknown key at most every 30 seconds, gives up after five, and skips key types that it does not know.
import { createHash } from "node:crypto";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Config } from "../../../config/schema/index.ts";
import type { Logger } from "../../../observability/log.ts";

type IssuerConfig = Config["http"]["jwt"]["trustedIssuers"][number];

interface TrustedIssuer {
  readonly config: IssuerConfig;
  readonly keys: JWTVerifyGetKey;
}

export interface ForeignToken {
  /** Made from issuer and id: apart from the ids of other issuers and of the broker's own tokens, and never longer. */
  readonly tokenId: string;
  readonly issuedSeconds: number;
  readonly userId: number;
  readonly expirySeconds: number;
}

/** Not `clock_skew` (spec SB 7.8). */
export const foreignLeewaySeconds = 60;
export const requiredClaims = ["jti", "iss", "aud", "sub", "iat", "exp", "nbf"];

const fetchTimeoutMs = 5000;
const refetchMs = 30_000;
/** Public-key algorithms only: a key set is no secret. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

/** Scheme and host in lower case; without a scheme all of it, and no slash at the end. */
export function normalizeIssuer(issuer: string): string {
  const [, origin, path] = /^([^:]*:\/\/[^/]*)(.*)$/s.exec(issuer) ?? [];
  if (origin !== undefined) return `${origin.toLowerCase()}${path}`;
  return issuer.toLowerCase().replace(/\/$/, "");
}

function foreignTokenId(issuer: string, jti: string): string {
  return `foreign:${createHash("sha256")
    .update(JSON.stringify([issuer, jti]))
    .digest("hex")}`;
}

export class TrustedIssuers {
  readonly #issuers: ReadonlyMap<string, TrustedIssuer>;
  readonly #log: Logger;

  constructor(configs: readonly IssuerConfig[], log: Logger) {
    this.#log = log;
    const issuers = new Map<string, TrustedIssuer>();
    for (const config of configs) {
      if (!URL.canParse(config.jwksUrl)) {
        log.warn("a trusted issuer is ignored: its jwks_url is no URL", { issuer: config.issuer });
        continue;
      }
      const keys = createRemoteJWKSet(new URL(config.jwksUrl), {
        timeoutDuration: fetchTimeoutMs,
        cooldownDuration: refetchMs,
        cacheMaxAge: Number.POSITIVE_INFINITY,
      });
      issuers.set(normalizeIssuer(config.issuer), { config, keys });
    }
    this.#issuers = issuers;
  }

  /** Whether the token says that it comes from one of them; nothing is verified. */
  claims(token: string): boolean {
    return this.#issuers.size > 0 && this.#find(token) !== undefined;
  }

  /** Undefined for a token that is not valid. */
  async verify(token: string): Promise<ForeignToken | undefined> {
    const issuer = this.#find(token);
    // Without a key id, or as user 0, which is root, nothing is accepted.
    if (issuer === undefined || issuer.config.userId === 0) return undefined;
    try {
      if (decodeProtectedHeader(token).kid === undefined) return undefined;
      const { payload } = await jwtVerify(token, issuer.keys, {
        algorithms,
        issuer: issuer.config.issuer,
        audience: issuer.config.audience,
        clockTolerance: foreignLeewaySeconds,
        requiredClaims,
      });
      const { jti, iat, exp } = payload;
      if (typeof jti !== "string" || typeof iat !== "number" || typeof exp !== "number") return undefined;
      const tokenId = foreignTokenId(issuer.config.issuer, jti);
      return { tokenId, issuedSeconds: iat, userId: issuer.config.userId, expirySeconds: exp };
    } catch (error) {
      this.#log.debug("refused a token of a trusted issuer", { issuer: issuer.config.issuer, error });
      return undefined;
    }
  }

  #find(token: string): TrustedIssuer | undefined {
    try {
      const { iss } = decodeJwt(token);
      return typeof iss === "string" ? this.#issuers.get(normalizeIssuer(iss)) : undefined;
    } catch {
      return undefined; // no token at all: the ordinary check refuses it
    }
  }
}
