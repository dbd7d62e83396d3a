// Access tokens of the HTTP API: what is accepted, for how long, and what a revocation survives.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "@msgpack/msgpack";
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { systemClock } from "../../src/platform/clock.ts";
import { DiskError } from "../../src/platform/disk.ts";
import { realDisk } from "../../src/platform/real-disk.ts";
import { u64Max } from "../../src/protocol/limits.ts";
import { Revocations } from "../../src/transport/http/auth/revocations.ts";
import { normalizeIssuer } from "../../src/transport/http/auth/trusted-issuers.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { claims, log, loginOf, makeDirectory, makeTokens, nowSeconds, secret, sign, userOf } from "./token-issuer.ts";

const servers = useServers();

const named = (tokenId: string) => ({ tokenId, issuedSeconds: nowSeconds });

describe("an issued token", () => {
  test("has every claim and is accepted", async () => {
    const { tokens } = makeTokens({ notBeforeMicros: 2_000_000 });
    const { token, userId, expirySeconds } = await tokens.issue(loginOf(7));
    expect(userId).toBe(7);
    expect(decodeProtectedHeader(token)).toEqual({ alg: "HS256", typ: "JWT" });
    const issued = decodeJwt(token);
    expect(issued).toEqual({
      jti: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      iss: "iggy.apache.org",
      aud: "iggy.apache.org",
      sub: "7",
      iat: expect.any(Number),
      exp: expirySeconds,
      nbf: expirySeconds - 3600 + 2,
      user_created: 1_000_000,
      credentials_version: 0,
      auth_time: expect.any(Number),
    });
    expect(await userOf(tokens, token)).toBe(7);
  });

  test("counts from one look at the broker's clock, and is checked by it", async () => {
    // Long before any other clock, and at the end of a second: a second look would be one later.
    let nowMicros = 1_700_000_000_999_999;
    const { tokens } = makeTokens({}, { nowMicros: () => nowMicros++ });
    const { token, expirySeconds } = await tokens.issue(loginOf(7));
    expect(decodeJwt(token)).toMatchObject({ iat: 1_700_000_000, nbf: 1_700_000_000, exp: 1_700_003_600 });
    expect(expirySeconds).toBe(1_700_003_600);
    expect(await userOf(tokens, token)).toBe(7);
  });

  test("lasts 1,000,000,000 seconds if it never expires", async () => {
    const { expirySeconds } = await makeTokens({ accessTokenExpiry: u64Max }).tokens.issue(loginOf(0));
    expect(expirySeconds - nowSeconds - 1_000_000_000).toBeWithin(0, 60);
  });

  test("is signed with the configured algorithm", async () => {
    const { tokens } = makeTokens({ algorithm: "HS512" });
    const { token } = await tokens.issue(loginOf(0));
    expect(decodeProtectedHeader(token).alg).toBe("HS512");
    expect(await userOf(tokens, token)).toBe(0);
  });

  test("ends with the process when no secret is configured", async () => {
    const secrets = { encodingSecret: "", decodingSecret: "" };
    const { tokens } = makeTokens(secrets);
    const { token } = await tokens.issue(loginOf(0));
    expect(await userOf(tokens, token)).toBe(0);
    expect(await userOf(makeTokens(secrets).tokens, token)).toBeUndefined();
  });

  test("one secret serves for both", async () => {
    const { token } = await makeTokens({ decodingSecret: "" }).tokens.issue(loginOf(0));
    expect(await userOf(makeTokens({ encodingSecret: "" }).tokens, token)).toBe(0);
    expect(await userOf(makeTokens({ decodingSecret: "another" }).tokens, token)).toBeUndefined();
  });

  test("secrets may be base64", async () => {
    const base64 = Buffer.from(secret).toString("base64");
    const { token } = await makeTokens({
      encodingSecret: base64,
      decodingSecret: base64,
      useBase64Secret: true,
    }).tokens.issue(loginOf(0));
    expect(await userOf(makeTokens().tokens, token)).toBe(0);
  });
});

describe("a token is refused", () => {
  const { tokens } = makeTokens();

  test.each([
    ["with another signature", {}, { key: "another secret" }],
    ["with another algorithm", {}, { alg: "HS384" }],
    ["after its expiry and the leeway", { exp: nowSeconds - 60 }, {}],
    ["before its time", { nbf: nowSeconds + 60 }, {}],
    ["of another issuer", { iss: "somebody" }, {}],
    ["for another audience", { aud: "somebody" }, {}],
    ["for several audiences without ours", { aud: ["one", "two"] }, {}],
    ["without an id", { jti: undefined }, {}],
    ["without a subject", { sub: undefined }, {}],
    ["without a time of issue", { iat: undefined }, {}],
    ["for a user that is no number", { sub: "root" }, {}],
    ["for a user number above 2^32 - 1", { sub: "4294967296" }, {}],
  ])("%s", async (_why, changes, key) => {
    expect(await userOf(tokens, await sign(changes as JWTPayload, key))).toBeUndefined();
  });

  test("when it is none", async () => {
    for (const text of ["", "abc", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."])
      expect(await userOf(tokens, text)).toBeUndefined();
  });
});

test("a token within the leeway, and one for several audiences with ours, is accepted", async () => {
  const { tokens } = makeTokens();
  expect(await userOf(tokens, await sign({ exp: Math.floor(Date.now() / 1000) - 1 }))).toBe(7);
  expect(await userOf(tokens, await sign({ aud: ["one", "iggy.apache.org"] }))).toBe(7);
});

test("a token that was accepted is refused once it has expired", async () => {
  let nowMicros = systemClock.nowMicros();
  const { tokens } = makeTokens({}, { nowMicros: () => nowMicros });
  const { token } = await tokens.issue(loginOf(0));
  expect(await userOf(tokens, token)).toBe(0);
  nowMicros += 3_604_000_000;
  expect(await userOf(tokens, token)).toBe(0);
  nowMicros += 2_000_000;
  expect(await userOf(tokens, token)).toBeUndefined();
});

test("a token that was issued before its user was created belongs to an earlier holder of the number", async () => {
  const createdAtMicros = (nowSeconds + 10) * 1_000_000;
  const { tokens } = makeTokens({}, { createdAtMicros });
  expect(await userOf(tokens, await sign())).toBeUndefined();
  await expect(tokens.refresh(await sign())).rejects.toMatchObject({ errorName: "Unauthenticated" });
});

describe("a refresh", () => {
  test("gives a new token of the same user, once", async () => {
    const { tokens } = makeTokens();
    const { token } = await tokens.issue(loginOf(7));
    const fresh = await tokens.refresh(token);
    expect(fresh.userId).toBe(7);
    expect(await userOf(tokens, token)).toBeUndefined();
    expect(await userOf(tokens, fresh.token)).toBe(7);
    await expect(tokens.refresh(token)).rejects.toMatchObject({ errorName: "InvalidAccessToken" });
  });

  test.each([
    ["no token", async () => "abc", "InvalidAccessToken"],
    ["an empty text", async () => "", "InvalidAccessToken"],
    ["a token without signature", async () => "eyJhbGciOiJub25lIn0.e30.", "InvalidAccessToken"],
    ["another algorithm", () => sign({}, { alg: "HS512" }), "InvalidJwtAlgorithm"],
    ["another signature", () => sign({}, { key: "another secret" }), "Unauthenticated"],
    ["an expired token", () => sign({ exp: nowSeconds - 60 }), "Unauthenticated"],
    ["another issuer", () => sign({ iss: "somebody" }), "Unauthenticated"],
  ])("of %s is refused", async (_what, makeToken, errorName) => {
    await expect(makeTokens().tokens.refresh(await makeToken())).rejects.toMatchObject({ errorName });
  });
});

describe("a revocation", () => {
  test("survives a restart", async () => {
    const path = makeDirectory();
    const { tokens } = makeTokens({}, { directory: path });
    const { token } = await tokens.issue(loginOf(0));
    const caller = await tokens.authenticate(token);
    await tokens.revoke(caller!);
    expect(await userOf(tokens, token)).toBeUndefined();
    expect(await userOf(makeTokens({}, { directory: path }).tokens, token)).toBeUndefined();
  });

  test("of many at once loses none", async () => {
    const path = makeDirectory();
    const { revocations } = makeTokens({}, { directory: path });
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => revocations.revoke(`token-${index}`, nowSeconds + index)),
    );
    expect(makeTokens({}, { directory: path }).revocations.count).toBe(50);
  });

  test("is forgotten when the token has expired by itself", async () => {
    const path = makeDirectory();
    const { revocations } = makeTokens({}, { directory: path });
    await revocations.revoke("old", nowSeconds - 1);
    await revocations.revoke("new", nowSeconds + 100);
    await revocations.clean(nowSeconds);
    expect([revocations.has(named("old")), revocations.has(named("new"))]).toEqual([false, true]);
    expect(makeTokens({}, { directory: path }).revocations.count).toBe(1);
  });

  test("that cannot be written is an error, and takes effect all the same", async () => {
    const path = makeDirectory();
    const disk = {
      ...realDisk,
      open: () => {
        throw new DiskError("open", "tokens", "ENOSPC");
      },
    };
    const revocations = Revocations.open({ disk, directory: path, log, nowSeconds: () => nowSeconds });
    await expect(revocations.revoke("one", nowSeconds + 9)).rejects.toMatchObject({ errorName: "CannotOverwriteFile" });
    expect(revocations.has(named("one"))).toBe(true);
  });

  test.each([
    ["no map", Buffer.from("no map")],
    ["a list", encode([1])],
    ["a text in the place of a time", encode({ one: "two" })],
    ["half of it", encode({ one: 1, two: 2 }).subarray(0, 6)],
  ])("list that cannot be read (%s) is set aside, and all tokens from before are refused for good", async (_what, bytes) => {
    const path = makeDirectory();
    const before = await sign({ iat: nowSeconds - 10 });
    writeFileSync(join(path, "tokens"), bytes);
    const { tokens } = makeTokens({}, { directory: path });
    expect(await userOf(tokens, before)).toBeUndefined();
    await expect(tokens.refresh(before)).rejects.toMatchObject({ errorName: "InvalidAccessToken" });
    const fresh = await tokens.issue(loginOf(0));
    expect(await userOf(tokens, fresh.token)).toBe(0);
    expect(readFileSync(join(path, "tokens.damaged-1"))).toEqual(Buffer.from(bytes));
    await eventually(
      "the new list is in its file",
      async () => existsSync(join(path, "tokens")),
      (isThere) => isThere,
    );
    const again = makeTokens({}, { directory: path }).tokens;
    expect(await userOf(again, before)).toBeUndefined();
    expect(await userOf(again, fresh.token)).toBe(0);
  });
});

describe("a trusted issuer", async () => {
  const rsa = await generateKeyPair("RS256", { extractable: true });
  const ec = await generateKeyPair("ES256", { extractable: true });
  const keys = [
    { ...(await exportJWK(rsa.publicKey)), kid: "rsa" },
    { ...(await exportJWK(ec.publicKey)), kid: "ec" },
    { kty: "unheard-of", kid: "other" },
    { ...(await exportJWK(rsa.publicKey)) },
  ];
  let fetches = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => {
      fetches++;
      return Response.json({ keys });
    },
  });
  afterAll(() => server.stop(true));
  const issuer = { issuer: "https://Issuer.example/Path", jwksUrl: server.url.href, audience: "whippet", userId: 7 };
  const foreign = { iss: issuer.issuer, aud: "whippet", sub: "somebody" };
  const signForeign = (changes: JWTPayload, header: { alg: string; kid?: string }, key: CryptoKey) =>
    new SignJWT({ ...claims, ...foreign, ...changes }).setProtectedHeader(header).sign(key);
  const { tokens } = makeTokens({ trustedIssuers: [issuer] });

  test("signs with RSA or an elliptic curve; the configured user acts, and the keys are fetched once", async () => {
    expect(await userOf(tokens, await signForeign({}, { alg: "RS256", kid: "rsa" }, rsa.privateKey))).toBe(7);
    expect(
      await userOf(tokens, await signForeign({ aud: ["x", "whippet"] }, { alg: "ES256", kid: "ec" }, ec.privateKey)),
    ).toBe(7);
    expect(fetches).toBe(1);
  });

  test.each([
    ["without a key id", {}, { alg: "RS256" }],
    ["with an unknown key", {}, { alg: "RS256", kid: "unknown" }],
    ["for another audience", { aud: "iggy.apache.org" }, { alg: "RS256", kid: "rsa" }],
    ["that has expired beyond 60 seconds", { exp: nowSeconds - 120 }, { alg: "RS256", kid: "rsa" }],
    ["whose issuer differs in case", { iss: "https://issuer.example/Path" }, { alg: "RS256", kid: "rsa" }],
    ["without a claim", { nbf: undefined }, { alg: "RS256", kid: "rsa" }],
  ])("is not believed %s", async (_why, changes, header) => {
    expect(await userOf(tokens, await signForeign(changes as JWTPayload, header, rsa.privateKey))).toBeUndefined();
  });

  test("is believed for 60 seconds after the expiry, and its tokens can be revoked", async () => {
    const token = await signForeign(
      { exp: nowSeconds - 20, jti: "to-revoke" },
      { alg: "RS256", kid: "rsa" },
      rsa.privateKey,
    );
    const caller = await tokens.authenticate(token);
    expect(caller?.session.user?.id).toBe(7);
    await tokens.revoke(caller!);
    expect(await userOf(tokens, token)).toBeUndefined();
  });

  test.each([
    "__proto__",
    "issued-until",
    "x".repeat(100_000),
  ])("may choose any id for its tokens; %.20s is revoked over a restart, and nothing else is", async (jti) => {
    const path = makeDirectory();
    const options = { trustedIssuers: [issuer] };
    const { tokens: first } = makeTokens(options, { directory: path });
    const token = await signForeign({ jti }, { alg: "RS256", kid: "rsa" }, rsa.privateKey);
    const own = await first.issue(loginOf(0));
    await first.revoke((await first.authenticate(token))!);
    const { tokens: second } = makeTokens(options, { directory: path });
    expect(await userOf(second, token)).toBeUndefined();
    expect(await userOf(second, own.token)).toBe(0);
    expect(readFileSync(join(path, "tokens")).byteLength).toBeLessThan(400);
  });

  test("cannot act as root, and its tokens cannot be exchanged", async () => {
    const token = await signForeign({}, { alg: "RS256", kid: "rsa" }, rsa.privateKey);
    const asRoot = makeTokens({ trustedIssuers: [{ ...issuer, userId: 0 }] });
    expect(await userOf(asRoot.tokens, token)).toBeUndefined();
    await expect(tokens.refresh(token)).rejects.toMatchObject({ errorName: "InvalidAccessToken" });
  });

  test("cannot be imitated with the own secret", async () => {
    expect(await userOf(tokens, await sign({ iss: issuer.issuer, aud: "whippet" }))).toBeUndefined();
  });

  test("that cannot be reached is not believed", async () => {
    const gone = makeTokens({ trustedIssuers: [{ ...issuer, jwksUrl: "http://127.0.0.1:1/" }] });
    const token = await signForeign({}, { alg: "RS256", kid: "rsa" }, rsa.privateKey);
    expect(await userOf(gone.tokens, token)).toBeUndefined();
  });

  test.each([
    ["HTTPS://Example.COM/Path", "https://example.com/Path"],
    ["https://example.com/", "https://example.com/"],
    ["Test-Issuer/", "test-issuer"],
  ])("%s is compared as %s", (text, normalized) => {
    expect(normalizeIssuer(text)).toBe(normalized);
  });
});

test("the server starts on a broken file of revoked tokens, and says what follows", async () => {
  const server = await servers.start();
  await server.stop();
  writeFileSync(join(server.dataPath, "state/tokens"), "broken");
  await server.restart();
  await server.logged("the list of revoked access tokens cannot be read; all that were issued before now are refused");
  expect(readFileSync(join(server.dataPath, "state/tokens.damaged-1"), "utf8")).toBe("broken");
  await server.stop();
});
