// The checksums of a release, as sha256sum writes and checks them, and the signature over them.
import { createHash, createPrivateKey, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** `SHA256SUMS` of these files of a directory, by name. */
export async function checksumsOf(directory: string, names: readonly string[]): Promise<string> {
  const lines = await Promise.all(
    names.toSorted().map(async (name) => {
      const bytes = await readFile(join(directory, name));
      return `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`;
    }),
  );
  return lines.join("");
}

/** The key is for another kind of signature. */
export class SigningKeyError extends Error {
  override readonly name = "SigningKeyError";
}

/**
 * An Ed25519 signature of 64 bytes, which OpenSSL can check: `openssl pkeyutl -verify -pubin -inkey KEY -rawin -in SHA256SUMS
 * -sigfile SHA256SUMS.sig`. Throws `SigningKeyError` for a key of another kind.
 */
export function signatureOf(text: string, keyPem: string): Uint8Array {
  const key = createPrivateKey(keyPem);
  if (key.asymmetricKeyType !== "ed25519") {
    throw new SigningKeyError(`the key must be one of Ed25519, not ${key.asymmetricKeyType}`);
  }
  return new Uint8Array(sign(null, Buffer.from(text), key));
}
