import { AssertionError } from "../platform/assert.ts";
import { DiskError } from "../platform/disk.ts";
import { IggyError } from "../protocol/errors.ts";
import { Eviction } from "./v09/eviction.ts";

/** Whether a failed request tells of a fault of the broker or its disk, which belongs in the log, not of a bad request. */
export function isServerFault(thrown: unknown): boolean {
  if (thrown instanceof Eviction) return false;
  if (!(thrown instanceof IggyError)) return true;
  return thrown.cause instanceof DiskError || thrown.cause instanceof AssertionError;
}
