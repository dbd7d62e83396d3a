// The storage of one shard.
import type { Config } from "../config/schema/index.ts";
import type { Logger } from "../observability/log.ts";
import { systemRandom } from "../platform/random.ts";
import { createCipher } from "../security/encryption.ts";
import { dataPaths, type LoopPulse, type Statistics, TakenDirectories } from "../shard/index.ts";
import { createStorageContext, kernelReservedBytes, type StorageContext, WasmBatchKernel } from "../storage/index.ts";
import type { ShardHost } from "./shard-host.ts";

const scanBytes = 4 * 1024 * 1024;
const seedBytes = 32;

/** As configured, with this shard's share of descriptors. */
export function createShardStorage(
  config: Config,
  { disk, clock, elapsed, descriptors }: Pick<ShardHost, "disk" | "clock" | "elapsed" | "descriptors">,
  statistics: Statistics,
  pulse: LoopPulse,
  log: Logger,
): StorageContext {
  const { partition, segment, messageDeduplication, encryption } = config.system;
  return createStorageContext({
    disk,
    clock,
    elapsed,
    options: {
      acknowledge: partition.acknowledge,
      segmentSizeBytes: segment.sizeBytes,
      cacheIndexes: segment.cacheIndexes,
      messagesRequiredToSave: partition.messagesRequiredToSave,
      bytesRequiredToSave: partition.sizeOfMessagesRequiredToSaveBytes,
      enforceFsync: config.messageSaver.enforceFsync,
      validateChecksum: partition.validateChecksum,
      deduplication: messageDeduplication.enabled
        ? { maxEntries: messageDeduplication.maxEntries, expiryMicros: messageDeduplication.expiryMicros }
        : undefined,
      openFilesMax: descriptors.filesPerShard,
      consumerOffsetsMax: config.limits.consumerOffsetsPerPartition || undefined,
    },
    ...(encryption.enabled ? { encryption: { cipher: createCipher(encryption.key), makeSeed } } : {}),
    scan: makeScanMemory(),
    log,
    count: (key, by) => statistics.add(key, by),
    schedule: createTurnEnd(pulse),
    directories: new TakenDirectories({
      disk,
      streamsDirectory: dataPaths(config.system).streamsDirectory,
      log,
    }),
  });
}

/** For a kernel: what nobody outside can guess. */
export function makeSeed(): Uint8Array {
  const seed = new Uint8Array(seedBytes);
  systemRandom.fill(seed);
  return seed;
}

/** Runs what was handed over in this turn of the event loop at its end, all together. */
function createTurnEnd(pulse: LoopPulse): (work: () => void) => void {
  let works: (() => void)[] = [];
  const run = () => {
    const now = works;
    works = [];
    pulse.began("the writes of a turn");
    for (const work of now) work(); // none of them throws: each settles its own promises
  };
  return (work) => {
    if (works.push(work) === 1) setImmediate(run);
  };
}

/** Storage needs memory of its own to check bytes from the disk; nobody else sees it. */
function makeScanMemory() {
  const pages = Math.ceil((scanBytes + kernelReservedBytes) / 65_536);
  const memory = new WebAssembly.Memory({ shared: true, initial: pages, maximum: pages });
  return {
    kernel: WasmBatchKernel.create(memory, makeSeed()),
    memory: new Uint8Array(memory.buffer),
    position: kernelReservedBytes,
    sizeBytes: scanBytes,
  };
}
