// What every check of files gets.
import { DiskError } from "../platform/disk.ts";
import type { MessageCipher, StorageContext } from "../storage/types.ts";
import type { Findings } from "./findings.ts";

export interface CheckTools {
  /** Over a disk that keeps changes in memory. */
  readonly context: StorageContext;
  readonly findings: Findings;
  /** With the key of the configuration, where it says that messages are encrypted. */
  readonly cipher?: MessageCipher | undefined;
  /** Told of bytes that were looked at. */
  readonly onBytes: (count: number) => void;
}

/** Runs `work`; what cannot be read is a finding, and the rest goes on. */
export function attempt<T>({ findings }: CheckTools, work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    findings.add({
      kind: "unreadable",
      severity: "damage",
      path: thrown.path,
      text: `cannot be read: ${thrown.errorCode} (${thrown.operation})`,
      loss: "unknown",
      consequence: "what it belongs to stays closed until it can be read",
    });
    return undefined;
  }
}
