// AES-256-GCM with the bytes of the Rust SDK: a random nonce of 12 bytes, the ciphertext, the tag of 16. Payload and headers of a
// message are encrypted each for itself, so the broker sees neither; ids and times stay clear.

import { IggyError } from "../../protocol/errors.ts";
import { bytesOfBase64 } from "../base64.ts";

export interface Encryption {
  encrypt(clear: Uint8Array): Promise<Uint8Array>;
  /** CannotDecryptData (72) where no key fits, or the bytes were changed. */
  decrypt(encrypted: Uint8Array): Promise<Uint8Array>;
}

const algorithm = "AES-GCM";
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

function decodeKey(key: string): Uint8Array<ArrayBuffer> {
  const bytes = bytesOfBase64(key);
  if (bytes?.length !== keyBytes) throw new IggyError("InvalidEncryptionKey");
  return bytes;
}

/** WebCrypto wants to know that nobody shares the memory, which TypeScript cannot know of a view. */
function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    : bytes.slice();
}

/**
 * Base64 keys of 32 bytes: the first encrypts, all are tried to decrypt, so that a key can be changed. InvalidEncryptionKey (70);
 * FeatureUnavailable (5) in a page that is neither HTTPS nor of localhost, where browsers have no WebCrypto.
 */
export async function aes256Gcm(keys: string | readonly string[]): Promise<Encryption> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  const raw = (typeof keys === "string" ? [keys] : keys).map(decodeKey);
  if (raw.length === 0) throw new IggyError("InvalidEncryptionKey");
  if (subtle === undefined) throw new IggyError("FeatureUnavailable");
  const imported = await Promise.all(
    raw.map((key) => subtle.importKey("raw", key, algorithm, false, ["encrypt", "decrypt"])),
  );
  const [first] = imported as [CryptoKey, ...CryptoKey[]];

  return {
    async encrypt(clear) {
      const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
      const sealed = await subtle.encrypt({ name: algorithm, iv: nonce }, first, unshared(clear));
      const encrypted = new Uint8Array(nonceBytes + sealed.byteLength);
      encrypted.set(nonce);
      encrypted.set(new Uint8Array(sealed), nonceBytes);
      return encrypted;
    },

    async decrypt(encrypted) {
      if (encrypted.length < nonceBytes + tagBytes) throw new IggyError("CannotDecryptData");
      const bytes = unshared(encrypted);
      const parameters = { name: algorithm, iv: bytes.subarray(0, nonceBytes) };
      let reason: unknown;
      for (const key of imported) {
        try {
          return new Uint8Array(await subtle.decrypt(parameters, key, bytes.subarray(nonceBytes)));
        } catch (error) {
          reason = error; // another key, or none: WebCrypto says only that it failed
        }
      }
      throw new IggyError("CannotDecryptData", [], { cause: reason });
    },
  };
}
