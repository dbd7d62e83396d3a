// The headers of a message, which the broker takes as opaque bytes: a client may have written anything there.
import { decodeHeaders, IggyError, type UserHeader } from "../../client/console-client.ts";

/** Undefined where the bytes are no headers. */
export function readHeaders(bytes: Uint8Array): readonly UserHeader[] | undefined {
  try {
    return decodeHeaders(bytes);
  } catch (error) {
    if (error instanceof IggyError) return undefined;
    throw error;
  }
}
