// Keeps the memory for batches on their way within what the control group of the process may have: a broker that takes
// more is killed, not refused.
import type { Config } from "./schema/index.ts";

/** Of the limit; the rest is for the runtime, indexes, connections and the page cache. */
const shareOfPool = 1 / 2;
const pageBytes = 4096;
/** Less than this serves nobody; whoever gives a broker so little memory has to give it more. */
const poolBytesMin = 64 * 1024 * 1024;

/** `system.memory_pool.size` in bytes under this limit: as configured, but at most half of it. */
export function poolBytesWithin(configuredBytes: number, memoryBytes: number | undefined): number {
  if (memoryBytes === undefined) return configuredBytes;
  const share = Math.floor((memoryBytes * shareOfPool) / pageBytes) * pageBytes;
  return Math.min(configuredBytes, Math.max(share, poolBytesMin));
}

/** The configuration with a memory pool that fits; the same object where it fits already. */
export function withinMemory(config: Config, memoryBytes: number | undefined): Config {
  const { memoryPool } = config.system;
  const sizeBytes = poolBytesWithin(memoryPool.sizeBytes, memoryBytes);
  if (sizeBytes === memoryPool.sizeBytes) return config;
  return { ...config, system: { ...config.system, memoryPool: { ...memoryPool, sizeBytes } } };
}
