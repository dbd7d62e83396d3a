// Storage as the doctor uses it: it looks at everything when a partition is opened, and nobody appends.
import { existsSync, readFileSync } from "node:fs";
import { systemClock } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import {
  createStorageContext,
  kernelReservedBytes,
  type StorageContext,
  type StorageLog,
  WasmBatchKernel,
} from "../storage/index.ts";
import type { DirectoryRemoval } from "../storage/types.ts";

const scanBytes = 4 * 1024 * 1024;
const openFilesMax = 64;
const seedBytes = 32;

export const silentLog: StorageLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Scan = Parameters<typeof createStorageContext>[0]["scan"];

let madeScan: Scan | undefined;

/** One for all: checks come one after the other. */
function sharedScan(): Scan {
  madeScan ??= makeScan();
  return madeScan;
}

function makeScan(): Scan {
  const pages = Math.ceil((scanBytes + kernelReservedBytes) / 65_536);
  const memory = new WebAssembly.Memory({ shared: true, initial: pages, maximum: pages });
  return {
    kernel: WasmBatchKernel.create(memory, new Uint8Array(seedBytes).fill(1)), // nothing here makes ids
    memory: new Uint8Array(memory.buffer),
    position: kernelReservedBytes,
    sizeBytes: scanBytes,
  };
}

/** Storage that looks at everything when it opens a partition. */
export function makeContext(disk: Disk, log: StorageLog, directories?: DirectoryRemoval): StorageContext {
  return createStorageContext({
    disk,
    clock: systemClock,
    options: {
      acknowledge: "write",
      segmentSizeBytes: Number.MAX_SAFE_INTEGER,
      cacheIndexes: "none",
      messagesRequiredToSave: 1,
      bytesRequiredToSave: 1,
      enforceFsync: true,
      validateChecksum: true,
      openFilesMax,
    },
    scan: sharedScan(),
    log,
    directories,
    schedule: (flush) => setImmediate(flush),
  });
}

/** Another one after each start of the system; undefined where the system does not say. */
export function readBootId(): string | undefined {
  const path = "/proc/sys/kernel/random/boot_id";
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}
