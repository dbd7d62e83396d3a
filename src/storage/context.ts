import { type Clock, monotonicClock } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import { FileCache } from "./file-cache.ts";
import { ScanMemory, type ScanMemoryOptions } from "./scan-memory.ts";
import type { DirectoryRemoval, EncryptionOptions, StorageContext, StorageLog, StorageOptions } from "./types.ts";

export interface StorageContextOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  /** `monotonicClock` if not given. */
  readonly elapsed?: Clock;
  readonly options: StorageOptions;
  /** Memory for recovery and for checks before reads; 1 to 4 MiB serve well. */
  readonly scan: ScanMemoryOptions;
  readonly log: StorageLog;
  /** Takes what is counted for the metrics; nothing is counted when absent. */
  readonly count?: StorageContext["count"];
  /** Runs `flush` once at the end of this turn of the event loop. */
  readonly schedule: (flush: () => void) => void;
  /** Set where payloads and user headers are encrypted on the disk (spec SB 4.9). */
  readonly encryption?: EncryptionOptions | undefined;
  /** Where directories go that are taken away. */
  readonly directories?: DirectoryRemoval | undefined;
}

/** What the partitions of one shard share; one for each shard. */
export function createStorageContext(given: StorageContextOptions): StorageContext {
  return {
    disk: given.disk,
    clock: given.clock,
    elapsed: given.elapsed ?? monotonicClock,
    options: given.options,
    files: new FileCache(given.disk, given.options.openFilesMax),
    scanMemory: new ScanMemory(given.scan),
    log: given.log,
    count: given.count,
    schedule: given.schedule,
    encryption: given.encryption,
    directories: given.directories,
  };
}
