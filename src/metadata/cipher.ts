/**
 * Encryption of the metadata files (spec SB 3.8, 4.9): the payloads of log entries and snapshots. Their headers stay clear,
 * each says whether its payload is encrypted, and checksums are over the bytes on the disk: what is damaged is known
 * without a key, so a missing or wrong key is never taken for damage.
 */

/** AES-256-GCM with the configured key; other layers bring it. */
export interface MetadataCipher {
  /** Bytes of their own. */
  encrypt(bytes: Uint8Array): Uint8Array;
  /** The clear bytes; undefined when they were encrypted with another key, or changed since. */
  decrypt(bytes: Uint8Array): Uint8Array | undefined;
}

/** An encrypted metadata file meets no key, or one that does not fit. The start stops; no file was changed. */
export class MetadataKeyError extends Error {
  override readonly name = "MetadataKeyError";
  readonly path: string;
  readonly reason: "missing" | "wrong";

  constructor(path: string, reason: "missing" | "wrong") {
    super(
      reason === "missing"
        ? `${path} is encrypted: set system.encryption.enabled, and system.encryption.key to the key it was written with`
        : `${path} cannot be decrypted: system.encryption.key is not the key it was written with`,
    );
    this.path = path;
    this.reason = reason;
  }
}

/** The clear bytes of a payload of the file at `path`. Throws `MetadataKeyError`. */
export function decryptPayload(payload: Uint8Array, cipher: MetadataCipher | undefined, path: string): Uint8Array {
  if (cipher === undefined) throw new MetadataKeyError(path, "missing");
  const clear = cipher.decrypt(payload);
  if (clear === undefined) throw new MetadataKeyError(path, "wrong");
  return clear;
}
