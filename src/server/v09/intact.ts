// Whether the body of a request arrived as it was sent, where the client lets that be seen (spec P9 2.2).
import { IggyError } from "../../protocol/errors.ts";
import { hasRequestChecksum, requestChecksumOf } from "../../protocol/v09/headers.ts";

/** Throws InvalidFormat (4) where the header has a checksum that is not that of the body. */
export function requireIntact(header: Uint8Array, body: Uint8Array): void {
  if (!hasRequestChecksum(header)) return;
  if (requestChecksumOf(header) !== BigInt(Bun.hash.xxHash3(body))) throw new IggyError("InvalidFormat");
}
