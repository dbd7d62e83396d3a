// The RSA keys of access tokens: every form in which they may be given, and what is said about those that cannot serve.
import { afterAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { readTokenKeys } from "../../src/config/token-keys.ts";
import { load, violations } from "./support.ts";

const directory = mkdtempSync(join(tmpdir(), "whippet-keys-"));
afterAll(() => rmSync(directory, { recursive: true }));
let files = 0;

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
const short = generateKeyPairSync("rsa", { modulusLength: 1024 });
const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" });
const certificate = await generate([{ name: "commonName", value: "localhost" }], {
  keyType: "rsa",
  keySize: 2048,
  algorithm: "sha256",
});

function pem(key: KeyObject, type: "pkcs8" | "pkcs1" | "spki"): string {
  return String(key.export({ type, format: "pem" }));
}

const privatePem = pem(rsa.privateKey, "pkcs8");
const publicPem = pem(rsa.publicKey, "spki");

function fileOf(text: string): string {
  const path = join(directory, `${files++}.pem`);
  writeFileSync(path, text);
  return path;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Of a configuration that loads with these secrets. */
function keysOf(encoding: string, decoding: string, isBase64 = false) {
  const { config } = load({
    environment: {
      IGGY_HTTP_JWT_ALGORITHM: "RS256",
      IGGY_HTTP_JWT_ENCODING_SECRET: encoding,
      IGGY_HTTP_JWT_DECODING_SECRET: decoding,
      IGGY_HTTP_JWT_USE_BASE64_SECRET: String(isBase64),
    },
  });
  return readTokenKeys(config.http.jwt);
}

function isPair({ privateKey, publicKey }: ReturnType<typeof keysOf>): boolean {
  const text = Buffer.from("text");
  return verify("sha256", text, publicKey, sign("sha256", text, privateKey));
}

describe("a key pair", () => {
  test.each([
    ["PKCS#8 and SPKI", privatePem, publicPem],
    ["PKCS#1 both", pem(rsa.privateKey, "pkcs1"), pem(rsa.publicKey, "pkcs1")],
    ["the private key alone", privatePem, ""],
    ["a certificate", certificate.private, certificate.cert],
  ])("may be given as %s: as text, in files, in base64", (_, encoding, decoding) => {
    const file = (text: string) => (text === "" ? "" : fileOf(text));
    const asText = keysOf(encoding, decoding);
    expect(isPair(asText)).toBe(true);
    for (const keys of [
      keysOf(file(encoding), file(decoding)),
      keysOf(file(encoding), decoding),
      keysOf(base64(encoding), base64(decoding), true),
    ]) {
      expect(keys.privateKey.equals(asText.privateKey)).toBe(true);
      expect(keys.publicKey.equals(asText.publicKey)).toBe(true);
    }
  });

  test("may stand in the configuration file", () => {
    const { config } = load({
      toml: `[http.jwt]\nalgorithm = "RS512"\nencoding_secret = """\n${privatePem}"""\ndecoding_secret = """${publicPem}"""`,
    });
    expect(isPair(readTokenKeys(config.http.jwt))).toBe(true);
  });
});

/** The one broken rule, without the name of the layer. */
function violation(values: { encoding?: string; decoding?: string; isBase64?: boolean; algorithm?: string }) {
  const { encoding = privatePem, decoding = "", isBase64 = false, algorithm = "RS256" } = values;
  const found = violations({
    environment: {
      IGGY_HTTP_JWT_ALGORITHM: algorithm,
      IGGY_HTTP_JWT_ENCODING_SECRET: encoding,
      IGGY_HTTP_JWT_DECODING_SECRET: decoding,
      IGGY_HTTP_JWT_USE_BASE64_SECRET: String(isBase64),
    },
  });
  return found.map((text) => text.replace(/ = \*+ \(\w+\)/, ""));
}

describe("a key that cannot serve", () => {
  const shortFile = fileOf(pem(short.privateKey, "pkcs8"));
  const directoryFile = join(directory, "missing.pem");
  const encrypted = String(
    rsa.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "open" }),
  );
  test.each([
    ["none", { encoding: "" }, "encoding_secret: must hold a private key while http.jwt.algorithm is RS256"],
    [
      "none but the public one",
      { encoding: "", decoding: publicPem },
      "encoding_secret: must hold a private key while http.jwt.algorithm is RS256",
    ],
    [
      "a file that is not there",
      { encoding: directoryFile },
      `encoding_secret: must be PEM or the path of a PEM file; ${directoryFile} cannot be read (ENOENT)`,
    ],
    [
      "a directory",
      { decoding: directory },
      `decoding_secret: must be PEM or the path of a PEM file; ${directory} cannot be read (EISDIR)`,
    ],
    [
      "a plain secret, which is not repeated",
      { encoding: "my secret words" },
      "encoding_secret: must be PEM or the path of a PEM file; its file cannot be read (ENOENT)",
    ],
    [
      "a public key for the private one",
      { encoding: publicPem },
      "encoding_secret: must be a PEM private key that is not encrypted",
    ],
    ["encrypted", { encoding: encrypted }, "encoding_secret: must be a PEM private key that is not encrypted"],
    [
      "base64 of no PEM",
      { encoding: base64("secret"), isBase64: true },
      "encoding_secret: must be a PEM private key that is not encrypted",
    ],
    ["no base64", { encoding: "{", isBase64: true }, "encoding_secret: must be base64 text"],
    ["elliptic", { encoding: pem(elliptic.privateKey, "pkcs8") }, "encoding_secret: must be an RSA key, not ec"],
    ["elliptic, public", { decoding: pem(elliptic.publicKey, "spki") }, "decoding_secret: must be an RSA key, not ec"],
    [
      "too short, in a file",
      { encoding: shortFile },
      `encoding_secret: must be an RSA key of at least 2048 bits, not 1024 (file ${shortFile})`,
    ],
    [
      "damaged, public",
      { decoding: publicPem.replace(/\nM/, "\n!") },
      "decoding_secret: must be a PEM public key or certificate",
    ],
    [
      "another's public key",
      { decoding: pem(other.publicKey, "spki") },
      "decoding_secret: must be the public key of http.jwt.encoding_secret",
    ],
  ])("is refused: %s", (_, values, expected) => {
    expect(violation(values)).toEqual([`http.jwt.${expected}`]);
  });

  test("matters to RS only, and only while HTTP is on", () => {
    const plain = { IGGY_HTTP_JWT_ENCODING_SECRET: "a plain secret", IGGY_HTTP_JWT_DECODING_SECRET: "a plain secret" };
    expect(violations({ environment: { ...plain, IGGY_HTTP_JWT_ALGORITHM: "HS384" } })).toEqual([]);
    const off = { ...plain, IGGY_HTTP_JWT_ALGORITHM: "RS384", IGGY_HTTP_ENABLED: "false" };
    expect(violations({ environment: off })).toEqual([]);
  });
});
