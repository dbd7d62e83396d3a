// Access tokens that are signed with a key pair, on the real server: anybody can check them with the public key, and nobody
// can make one with it.
import { describe, expect, test } from "bun:test";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { type TestServer, useServers } from "../support/server.ts";
import { HttpTestClient } from "./http-client.ts";

const servers = useServers();
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
const privatePem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
const publicPem = String(publicKey.export({ type: "spki", format: "pem" }));

/** The status of a request with this token. */
async function statusOf(server: TestServer, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await new HttpTestClient(server).request("GET", "/streams", undefined, headers)).status;
}

function refresh(server: TestServer, token: string) {
  return new HttpTestClient(server).request("POST", "/users/refresh-token", { token });
}

function tokenIn(json: unknown): string {
  return (json as { access_token: { token: string } }).access_token.token;
}

describe.each(["RS256", "RS384", "RS512"])("%s", (algorithm) => {
  const environment = {
    IGGY_HTTP_JWT_ALGORITHM: algorithm,
    IGGY_HTTP_JWT_ENCODING_SECRET: privatePem,
    IGGY_HTTP_JWT_DECODING_SECRET: publicPem,
  };

  test("tokens of an own key pair work, are exchanged, and survive a restart", async () => {
    const server = await servers.start({ env: environment });
    const { token } = await HttpTestClient.login(server);
    expect(decodeProtectedHeader(token)).toEqual({ alg: algorithm, typ: "JWT" });
    expect(await statusOf(server, token)).toBe(200);

    const exchanged = await refresh(server, token);
    expect(exchanged.status).toBe(200);
    const next = tokenIn(exchanged.json);
    expect(await statusOf(server, next)).toBe(200);
    expect(await statusOf(server, token)).toBe(401);

    await server.restart();
    expect(await statusOf(server, next)).toBe(200);
    expect(await statusOf(server, token)).toBe(401);
  });

  test("a token is what others can check with the public key, and nothing that they make with it is one", async () => {
    const server = await servers.start({ env: environment });
    const { token } = await HttpTestClient.login(server);
    const { payload } = await jwtVerify(token, publicKey, { algorithms: [algorithm], audience: "iggy.apache.org" });
    expect(payload).toMatchObject({ sub: "0", iss: "iggy.apache.org" });

    const claims: JWTPayload = { ...decodeJwt(token), jti: "0195a0c0-0000-7000-8000-000000000001" };
    const forge = (alg: string, key: KeyObject | Uint8Array) =>
      new SignJWT(claims).setProtectedHeader({ alg, typ: "JWT" }).sign(key);
    // The claims are such that only the signature decides.
    expect(await statusOf(server, await forge(algorithm, privateKey))).toBe(200);

    const [, body = ""] = token.split(".");
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url")}.${body}.`;
    const otherAlgorithm = algorithm === "RS256" ? "RS512" : "RS256";
    for (const forged of [
      await forge("HS256", Buffer.from(publicPem)),
      await forge("HS256", Buffer.from(publicPem.trim())),
      await forge("HS512", publicKey.export({ type: "spki", format: "der" })),
      await forge(algorithm, stranger.privateKey),
      await forge(otherAlgorithm, privateKey),
      unsigned,
    ]) {
      expect(await statusOf(server, forged)).toBe(401);
      expect((await refresh(server, forged)).status).not.toBe(200);
    }
  });
});

test("the keys may be files, also relative to the working directory, and are not written anywhere", async () => {
  const directory = servers.makeDirectory();
  writeFileSync(join(directory, "private.pem"), privatePem);
  const server = await servers.start({
    env: { IGGY_HTTP_JWT_ALGORITHM: "RS256", IGGY_HTTP_JWT_ENCODING_SECRET: join(directory, "private.pem") },
  });
  const { token } = await HttpTestClient.login(server);
  expect((await jwtVerify(token, publicKey)).payload.sub).toBe("0");
  expect(await Bun.file(server.currentConfigPath).text()).not.toContain("BEGIN");

  writeFileSync(join(server.directory, "public.pem"), publicPem);
  await server.restart({ env: { IGGY_HTTP_JWT_DECODING_SECRET: "public.pem" } });
  expect(await statusOf(server, token)).toBe(200);
});

describe("a key pair that cannot serve", () => {
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 });
  test.each([
    ["no private key", "", publicPem, "encoding_secret", "must hold a private key"],
    ["a plain secret", "a plain secret", "", "encoding_secret", "must be PEM or the path of a PEM file"],
    ["a missing file", "/no/such/key.pem", "", "encoding_secret", "/no/such/key.pem cannot be read (ENOENT)"],
    ["a short key", pkcs8Of(short.privateKey), "", "encoding_secret", "at least 2048 bits, not 1024"],
    [
      "an elliptic key",
      pkcs8Of(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
      "",
      "encoding_secret",
      "must be an RSA key, not ec",
    ],
    ["a damaged public key", privatePem, "-----BEGIN PUBLIC KEY-----\n", "decoding_secret", "must be a PEM public key"],
    [
      "keys of two pairs",
      pkcs8Of(stranger.privateKey),
      publicPem,
      "decoding_secret",
      "must be the public key of http.jwt.encoding_secret",
    ],
  ])("stops the start with the key and the reason: %s", async (_, encoding, decoding, name, reason) => {
    const directory = servers.makeDirectory();
    const { exitCode, stdout, stderr } = await servers.run(
      {
        env: {
          IGGY_HTTP_JWT_ALGORITHM: "RS256",
          IGGY_HTTP_JWT_ENCODING_SECRET: encoding,
          IGGY_HTTP_JWT_DECODING_SECRET: decoding,
        },
      },
      directory,
    );
    expect(exitCode).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toStartWith(`whippet: http.jwt.${name}`);
    expect(stderr).toContain(reason);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).not.toContain("a plain secret");
    expect(readdirSync(directory)).toEqual([]);
  });
});

function pkcs8Of(key: KeyObject): string {
  return String(key.export({ type: "pkcs8", format: "pem" }));
}
