// What an access token was given for, and what becomes of it when that changes.
import { afterAll, describe, expect, test } from "bun:test";
import { decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { apply } from "../../src/metadata/apply.ts";
import { createState, loginOf, type MetadataEvent, type MetadataState } from "../../src/metadata/index.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import type { AccessTokens } from "../../src/transport/http/auth/access-tokens.ts";
import { groundOf } from "../../src/transport/http/auth/token-ground.ts";
import { claims, config, makeTokens, nowSeconds, sign, userOf } from "./token-issuer.ts";

const dayMicros = 86_400_000_000n;
const daySeconds = 86_400;

/** Eight users, the last of which, 7, was created at this time. */
function stateWithUsers(createdAtMicros = 1_000_000): MetadataState {
  const state = createState();
  for (let userId = 0; userId < 8; userId++) apply(state, userCreated(userId, createdAtMicros));
  return state;
}

function userCreated(userId: number, createdAtMicros: number): MetadataEvent {
  const name = `user-${userId}`;
  return { kind: "userCreated", userId, name, passwordHash: "", status: 1, createdAtMicros, permissions: null };
}

const deleted: MetadataEvent = { kind: "userDeleted", userId: 7 };
const deactivated: MetadataEvent = { kind: "userUpdated", userId: 7, status: 2 };
const activated: MetadataEvent = { kind: "userUpdated", userId: 7, status: 1 };
const newPassword: MetadataEvent = { kind: "passwordChanged", userId: 7, passwordHash: "new" };

function issue(tokens: AccessTokens, state: MetadataState) {
  return tokens.issue(loginOf(state.users.byId.get(7)!));
}

/** Name of the error with which an exchange is refused; undefined where it is not. */
async function refreshError(tokens: AccessTokens, token: string): Promise<string | undefined> {
  try {
    await tokens.refresh(token);
    return undefined;
  } catch (error) {
    if (error instanceof IggyError) return error.errorName;
    throw error;
  }
}

describe("a token that was issued", () => {
  test.each<[string, readonly MetadataEvent[]]>([
    ["before its user was deactivated", [deactivated]],
    ["before its user was deactivated and activated again", [deactivated, activated]],
    ["before a new password", [newPassword]],
    ["to a user that was deleted", [deleted]],
    ["to an earlier user with its number, created in the same second", [deleted, userCreated(7, 1_000_001)]],
  ])("%s is refused, and not exchanged", async (_what, events) => {
    const state = stateWithUsers();
    const { tokens } = makeTokens({}, { state });
    const { token } = await issue(tokens, state);
    expect(await userOf(tokens, token)).toBe(7);
    for (const event of events) apply(state, event);
    expect(await userOf(tokens, token)).toBeUndefined();
    expect(await refreshError(tokens, token)).toBe("Unauthenticated");
    // By an issuer that sees it for the first time, too.
    const again = makeTokens({}, { state }).tokens;
    expect(await userOf(again, token)).toBeUndefined();
  });

  test("by an older version counts as issued before any change", async () => {
    const state = stateWithUsers();
    const { tokens } = makeTokens({}, { state });
    const [one, other] = [await sign({ jti: "one" }), await sign({ jti: "other" })];
    expect(await userOf(tokens, one)).toBe(7);
    expect(await refreshError(tokens, other)).toBeUndefined();
    apply(state, newPassword);
    expect(await userOf(tokens, one)).toBeUndefined();
    expect(await userOf(tokens, await sign({ jti: "third" }))).toBeUndefined();
  });

  test("and asked for the new password is kept until the next one, and exchanged for one that is kept too", async () => {
    const state = stateWithUsers();
    const { tokens } = makeTokens({}, { state });
    const [asking, other] = [await issue(tokens, state), await issue(tokens, state)];
    const keptAccessTokenId = decodeJwt(asking.token).jti!;
    apply(state, { ...newPassword, keptAccessTokenId });
    expect(await userOf(tokens, asking.token)).toBe(7);
    expect(await userOf(tokens, other.token)).toBeUndefined();
    const fresh = await tokens.refresh(asking.token);
    expect(await userOf(tokens, fresh.token)).toBe(7);
    apply(state, newPassword);
    expect(await userOf(tokens, fresh.token)).toBeUndefined();
  });
});

describe("exchanges of tokens", () => {
  const week = { refreshExpiry: 7n * dayMicros };

  test("end some days after the login, and the last token ends then, too", async () => {
    const { tokens } = makeTokens(week);
    const end = nowSeconds + 3000;
    const late = await tokens.refresh(await sign({ auth_time: end - 7 * daySeconds, exp: end }));
    expect(late.expirySeconds).toBe(end);
    expect(decodeJwt(late.token)).toMatchObject({ auth_time: end - 7 * daySeconds });
    const later = await tokens.refresh(late.token);
    expect(later.expirySeconds).toBe(end);
    const tooLate = await sign({ jti: "late", auth_time: nowSeconds - 7 * daySeconds });
    expect(await refreshError(tokens, tooLate)).toBe("Unauthenticated");
    expect(await userOf(tokens, tooLate)).toBe(7);
  });

  test("go on for ever where that is configured", async () => {
    const { tokens } = makeTokens({ refreshExpiry: u64Max });
    expect(await refreshError(tokens, await sign({ auth_time: nowSeconds - 1000 * daySeconds }))).toBeUndefined();
  });

  test("of a token that says nothing of a login count from its issue", async () => {
    const { tokens } = makeTokens(week);
    const old = await sign({ iat: nowSeconds - 7 * daySeconds });
    expect(await refreshError(tokens, old)).toBe("Unauthenticated");
    expect(await refreshError(tokens, await sign({ iat: nowSeconds - daySeconds }))).toBeUndefined();
  });
});

describe("a trusted issuer vouches for the user that is configured", async () => {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: "rsa" }];
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json({ keys }) });
  afterAll(() => server.stop(true));
  const issuer = { issuer: "https://issuer.example", jwksUrl: server.url.href, audience: "whippet", userId: 7 };
  const signForeign = (changes: JWTPayload = {}) =>
    new SignJWT({ ...claims, iss: issuer.issuer, aud: "whippet", sub: "somebody", ...changes })
      .setProtectedHeader({ alg: "RS256", kid: "rsa" })
      .sign(privateKey);

  test("and not for the next one with its number", async () => {
    const state = stateWithUsers();
    const { tokens } = makeTokens({ trustedIssuers: [issuer] }, { state });
    const before = await signForeign();
    expect(await userOf(tokens, before)).toBe(7);
    apply(state, deleted);
    expect(await userOf(tokens, before)).toBeUndefined();
    apply(state, userCreated(7, (nowSeconds - 60) * 1_000_000));
    expect(await userOf(tokens, before)).toBeUndefined();
    expect(await userOf(tokens, await signForeign({ jti: "new" }))).toBeUndefined();
  });

  test("also where it was created after the start, but with no token from before", async () => {
    const state = stateWithUsers();
    apply(state, deleted);
    const { tokens } = makeTokens({ trustedIssuers: [issuer] }, { state });
    const before = await signForeign({ iat: nowSeconds - 120 });
    expect(await userOf(tokens, before)).toBeUndefined();
    apply(state, userCreated(7, (nowSeconds - 60) * 1_000_000));
    expect(await userOf(tokens, before)).toBeUndefined();
    expect(await userOf(tokens, await signForeign({ jti: "new" }))).toBe(7);
  });

  test("and not for one that got its number between the start and the first request", async () => {
    const state = stateWithUsers();
    const ground = groundOf({ ...config, trustedIssuers: [issuer] }, (id) => loginOf(state.users.byId.get(id)!));
    apply(state, deleted);
    apply(state, userCreated(7, (nowSeconds - 60) * 1_000_000));
    const { tokens } = makeTokens({ trustedIssuers: [issuer] }, { state, ground });
    expect(await userOf(tokens, await signForeign())).toBeUndefined();
    const later = makeTokens({ trustedIssuers: [issuer] }, { state });
    expect(await userOf(later.tokens, await signForeign())).toBe(7);
  });

  test("while it is active; its password is none of theirs", async () => {
    const state = stateWithUsers();
    const { tokens } = makeTokens({ trustedIssuers: [issuer] }, { state });
    const token = await signForeign();
    apply(state, newPassword);
    expect(await userOf(tokens, token)).toBe(7);
    apply(state, deactivated);
    expect(await userOf(tokens, token)).toBeUndefined();
  });
});
