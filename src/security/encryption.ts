// AES-256-GCM in the form of the original (spec SB 4.9): 12-byte random nonce, ciphertext, 16-byte tag. Nonces are random,
// so one key should not encrypt more than some 2^32 texts.

import { createCipheriv, createDecipheriv, randomFillSync } from "node:crypto";

const algorithm = "aes-256-gcm";
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const noncesAtOnce = 256;

export interface Cipher {
  /** Bytes that encryption adds. */
  readonly overheadBytes: number;
  /** Nonce, ciphertext and tag, as bytes of their own; `bytes` may be empty. */
  encrypt(bytes: Uint8Array): Uint8Array;
  /** The clear bytes; undefined when they were encrypted with another key, or not at all, or changed since. */
  decrypt(bytes: Uint8Array): Uint8Array | undefined;
}

/** For messages and entries of the metadata log. Throws `RangeError` unless `keyBase64` is padded base64 of 32 bytes. */
export function createCipher(keyBase64: string): Cipher {
  const key = decodeKey(keyBase64);
  const nonces = new Uint8Array(nonceBytes * noncesAtOnce);
  let nextNonce = nonces.byteLength;

  function takeNonce(): Uint8Array {
    if (nextNonce === nonces.byteLength) {
      randomFillSync(nonces);
      nextNonce = 0;
    }
    nextNonce += nonceBytes;
    return nonces.subarray(nextNonce - nonceBytes, nextNonce);
  }

  return {
    overheadBytes: nonceBytes + tagBytes,

    encrypt(bytes) {
      const nonce = takeNonce();
      const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
      const encrypted = new Uint8Array(nonceBytes + bytes.byteLength + tagBytes);
      encrypted.set(nonce);
      encrypted.set(cipher.update(bytes), nonceBytes);
      cipher.final(); // a stream cipher: no bytes are left
      encrypted.set(cipher.getAuthTag(), nonceBytes + bytes.byteLength);
      return encrypted;
    },

    decrypt(bytes) {
      const tagPosition = bytes.byteLength - tagBytes;
      if (tagPosition < nonceBytes) return undefined;
      const nonce = bytes.subarray(0, nonceBytes);
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
      decipher.setAuthTag(bytes.subarray(tagPosition));
      const clear = decipher.update(bytes.subarray(nonceBytes, tagPosition));
      return isAuthentic(decipher) ? new Uint8Array(clear.buffer, clear.byteOffset, clear.byteLength) : undefined;
    },
  };
}

/** `final` knows no other failure than a tag that does not fit. */
function isAuthentic(decipher: ReturnType<typeof createDecipheriv>): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

function decodeKey(keyBase64: string): Uint8Array {
  const key = Buffer.from(keyBase64, "base64");
  // The runtime skips what is not base64; the text must be the one form of these bytes.
  if (key.toString("base64") !== keyBase64) throw new RangeError("the encryption key is not base64 text");
  if (key.byteLength !== keyBytes) {
    throw new RangeError(`the encryption key has ${key.byteLength} bytes instead of ${keyBytes}`);
  }
  return key;
}
