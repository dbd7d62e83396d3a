// Access tokens without a server: an issuer with a clock and users of the test's own, and tokens signed by hand.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JWTPayload, SignJWT } from "jose";
import type { Config } from "../../src/config/schema/index.ts";
import { findLoggedIn, loginOf as loginOfUser, type MetadataState, type UserLogin } from "../../src/metadata/index.ts";
import { createLogger } from "../../src/observability/log.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { realDisk } from "../../src/platform/real-disk.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import { AccessTokens, type AccessTokensOptions } from "../../src/transport/http/auth/access-tokens.ts";
import { Revocations } from "../../src/transport/http/auth/revocations.ts";
import type { TokenGround } from "../../src/transport/http/auth/token-ground.ts";
import { TrustedIssuers } from "../../src/transport/http/auth/trusted-issuers.ts";

type JwtConfig = Config["http"]["jwt"];

export const secret = "a secret of some length for tests";
const hourMicros = 3_600_000_000n;
export const log = createLogger({ filter: "off", write: () => undefined });
const directory = mkdtempSync(join(tmpdir(), "whippet-tokens-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
let directories = 0;

export const config: JwtConfig = {
  algorithm: "HS256",
  issuer: "iggy.apache.org",
  audience: "iggy.apache.org",
  validIssuers: ["iggy.apache.org"],
  validAudiences: ["iggy.apache.org"],
  accessTokenExpiry: hourMicros,
  refreshExpiry: u64Max,
  clockSkewMicros: 5_000_000,
  notBeforeMicros: 0,
  encodingSecret: secret,
  decodingSecret: secret,
  useBase64Secret: false,
  trustedIssuers: [],
};

export function makeDirectory(): string {
  const path = join(directory, String(directories++));
  realDisk.makeDirectory(path);
  return path;
}

export function loginOf(id: number, createdAtMicros = 1_000_000): UserLogin {
  return { id, createdAtMicros, credentialsVersion: 0, tokenHash: undefined, accessTokenId: undefined };
}

type Users = Pick<AccessTokensOptions, "loginOf" | "isLoggedIn">;

interface TokensOptions {
  readonly directory?: string;
  readonly nowMicros?: () => number;
  readonly createdAtMicros?: number;
  /** Whose users they are; some that do not change if not given. */
  readonly state?: MetadataState;
  /** Of an earlier time; of now if not given. */
  readonly ground?: TokenGround;
}

/** Users 0 and 7 exist since long ago. */
export function makeTokens(changes: Partial<JwtConfig> = {}, options: TokensOptions = {}) {
  const jwtConfig = { ...config, ...changes };
  const nowMicros = options.nowMicros ?? (() => systemClock.nowMicros());
  const revocations = Revocations.open({
    disk: realDisk,
    directory: options.directory ?? makeDirectory(),
    log,
    nowSeconds: () => Math.floor(nowMicros() / 1e6),
  });
  const tokens = new AccessTokens({
    config: jwtConfig,
    clock: { nowMicros },
    revocations,
    trustedIssuers: new TrustedIssuers(jwtConfig.trustedIssuers, log),
    ...(options.ground && { ground: options.ground }),
    ...(options.state === undefined ? steadyUsers(options.createdAtMicros) : usersOf(options.state)),
  });
  return { tokens, revocations };
}

export const nowSeconds = Math.floor(Date.now() / 1000);
export const claims = {
  jti: "0195a0c0-0000-7000-8000-000000000001",
  iss: "iggy.apache.org",
  aud: "iggy.apache.org",
  sub: "7",
  iat: nowSeconds,
  // Long after all tests of the process have ended.
  exp: nowSeconds + 7200,
  nbf: nowSeconds,
};

export function sign(changes: JWTPayload = {}, { key = secret, alg = "HS256" } = {}): Promise<string> {
  return new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg, typ: "JWT" }).sign(Buffer.from(key));
}

export async function userOf(tokens: AccessTokens, token: string): Promise<number | undefined> {
  return (await tokens.authenticate(token))?.session.user?.id;
}

function steadyUsers(createdAtMicros: number | undefined): Users {
  return {
    loginOf: (id) => (id === 0 || id === 7 ? loginOf(id, createdAtMicros) : undefined),
    isLoggedIn: () => true,
  };
}

function usersOf(state: MetadataState): Users {
  return {
    loginOf(id) {
      const user = state.users.byId.get(id);
      return user && loginOfUser(user);
    },
    isLoggedIn: (login) => findLoggedIn(state, login) !== undefined,
  };
}
