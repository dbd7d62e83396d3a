// The RSA keys of access tokens, for `http.jwt.algorithm = RS…`. The original takes its secrets for keys of no kind, so that
// every login fails (spec HA 4.3); here they hold a key pair. It is read when the configuration is validated, so that one
// that cannot serve stops the start like any other broken rule.
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Config } from "./schema/index.ts";

type JwtConfig = Config["http"]["jwt"];
type SecretName = "encoding_secret" | "decoding_secret";

export interface TokenKeys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A key that cannot serve: the dotted path of its setting, and the rule that it breaks. */
export class TokenKeyError extends Error {
  override readonly name = "TokenKeyError";
  readonly key: string;
  readonly rule: string;

  constructor(name: SecretName, rule: string, cause?: unknown) {
    super(`http.jwt.${name}: ${rule}`, { cause });
    this.key = `http.jwt.${name}`;
    this.rule = rule;
  }
}

/** A secret with the words for its place in messages: its file, if it is in one. */
interface Pem {
  readonly name: SecretName;
  readonly text: string;
  readonly where: string;
}

/** What RFC 7518 3.3 demands. */
const modulusBitsMin = 2048;
const privateKind = "PEM private key that is not encrypted";
const publicKind = "PEM public key or certificate";
/** What is named in messages if there is no such file. Other text may be a secret. */
const looksLikePath = /^\.{0,2}\/|\.(?:pem|key|pub|crt|cer)$/i;

/** Whether tokens are signed with a key pair instead of a secret. */
export function needsKeyPair({ algorithm }: JwtConfig): boolean {
  return algorithm.startsWith("RS");
}

/**
 * The pair in the two secrets: each the PEM itself, the path of a file with it, or base64 of it. Without a decoding secret
 * the public key is that of the private one. Throws `TokenKeyError`.
 */
export function readTokenKeys(config: JwtConfig): TokenKeys {
  if (config.encodingSecret === "") {
    throw new TokenKeyError(
      "encoding_secret",
      `must hold a private key while http.jwt.algorithm is ${config.algorithm}`,
    );
  }
  const privatePem = pemOf("encoding_secret", config.encodingSecret, config.useBase64Secret);
  const privateKey = rsaKeyOf(privatePem, privateKind, createPrivateKey);
  if (config.decodingSecret === "") return { privateKey, publicKey: createPublicKey(privateKey) };

  const publicPem = pemOf("decoding_secret", config.decodingSecret, config.useBase64Secret);
  const publicKey = rsaKeyOf(publicPem, publicKind, createPublicKey);
  const probe = Buffer.from("whippet");
  if (!verify("sha256", probe, publicKey, sign("sha256", probe, privateKey))) {
    throw new TokenKeyError("decoding_secret", `must be the public key of http.jwt.encoding_secret${publicPem.where}`);
  }
  return { privateKey, publicKey };
}

function pemOf(name: SecretName, secret: string, isBase64: boolean): Pem {
  const text = isBase64 ? Buffer.from(secret, "base64").toString() : secret;
  if (isBase64 || secret.includes("-----BEGIN ")) return { name, text, where: "" };
  try {
    return { name, text: readFileSync(secret, "utf8"), where: ` (file ${secret})` };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const file = looksLikePath.test(secret) ? secret : "its file";
    throw new TokenKeyError(name, `must be PEM or the path of a PEM file; ${file} cannot be read (${code})`, error);
  }
}

function rsaKeyOf({ name, text, where }: Pem, kind: string, parse: (pem: string) => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = parse(text);
  } catch (error) {
    throw new TokenKeyError(name, `must be a ${kind}${where}`, error);
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type !== "rsa") throw new TokenKeyError(name, `must be an RSA key, not ${type}${where}`);
  const bits = details?.modulusLength ?? 0;
  if (bits >= modulusBitsMin) return key;
  throw new TokenKeyError(name, `must be an RSA key of at least ${modulusBitsMin} bits, not ${bits}${where}`);
}
