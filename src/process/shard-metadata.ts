// The metadata when shard 0 starts: what the log holds, what the data directory of the original brings along, and the root
// user.
import { MetadataLog } from "../metadata/index.ts";
import type { Logger } from "../observability/log.ts";
import { systemClock } from "../platform/clock.ts";
import { realDisk } from "../platform/real-disk.ts";
import { createCipher } from "../security/encryption.ts";
import { dataPaths, type ShardStart, type Statistics } from "../shard/index.ts";
import { takeOver } from "../takeover/take-over.ts";
import { createRootUser } from "./root-user.ts";

/** Throws MetadataKeyError, TakeoverError. `hasCreatedRoot`: there was no user before. */
export async function openMetadata(
  start: ShardStart,
  statistics: Statistics,
  log: Logger,
): Promise<{ readonly metadataLog: MetadataLog; readonly hasCreatedRoot: boolean }> {
  const { system } = start.config;
  const { stateDirectory } = dataPaths(system);
  const cipher = system.encryption.enabled ? { cipher: createCipher(system.encryption.key) } : {};
  const openLog = (enforceFsync: boolean) =>
    MetadataLog.open({
      disk: realDisk,
      directory: stateDirectory,
      enforceFsync,
      ...cipher,
      onSnapshotFailure: (error) => log.error("no snapshot of the metadata could be taken", { error }),
    });
  takeOver({
    disk: realDisk,
    stateDirectory,
    defaults: { messageExpiryMicros: system.topic.messageExpiry, maxTopicSizeBytes: system.topic.maxSize },
    nowMicros: systemClock.nowMicros(),
    ...cipher,
    openLog: () => openLog(false).log,
    onInfo: (message, fields) => log.info(message, fields),
  });
  // A message that survives a power loss is of no use without the topic that names it: one durability for both.
  const enforceFsync = system.state.enforceFsync || system.partition.acknowledge === "sync";
  const { log: metadataLog, repairs } = openLog(enforceFsync);
  statistics.add("repairedMetadataEntries", repairs.length);
  for (const repair of repairs) log.warn("the metadata log was repaired", { ...repair });
  return { metadataLog, hasCreatedRoot: await createRootUser(metadataLog, start.root, log) };
}
