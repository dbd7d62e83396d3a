// Opening a connection, whatever carries it: in time, or with the reason why not.
import { IggyError } from "../../protocol/errors.ts";
import { connectTimeoutMs } from "../limits.ts";
import { withResolvers } from "../with-resolvers.ts";

/**
 * Lets `begin` open a connection and resolves when that calls `opened`. Rejects with CannotEstablishConnection (9), whose
 * `cause` is what `failed` was told, or that there was no answer in time (10 seconds if not given).
 */
export async function openInTime(
  timeoutMs: number | undefined,
  begin: (opened: () => void, failed: (cause: unknown) => void) => void,
): Promise<void> {
  const limitMs = timeoutMs ?? connectTimeoutMs;
  const { promise, resolve, reject } = withResolvers<void>();
  const failed = (cause: unknown) => reject(new IggyError("CannotEstablishConnection", [], { cause }));
  const timer = setTimeout(() => failed(new Error(`no answer within ${limitMs} ms`)), limitMs);
  try {
    begin(resolve, failed);
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
