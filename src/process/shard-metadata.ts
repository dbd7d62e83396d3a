// The metadata when shard 0 starts: what the log holds, what the data directory of the original brings along, and the root
// user.
import { readFileSync } from "node:fs";
import { describeDamage, MetadataLog, metadataPaths } from "../metadata/index.ts";
import type { Logger } from "../observability/log.ts";
import { createCipher } from "../security/encryption.ts";
import { dataPaths, type ShardSetup, type Statistics } from "../shard/index.ts";
import { takeOver } from "../takeover/take-over.ts";
import { prepareRootUser } from "./root-user.ts";
import type { ShardHost } from "./shard-host.ts";

const lockedText =
  "metadata is lost, and nobody knows whose rights went with it: nobody but root may log in, and only by password (where the loss " +
  "may be that of a new password of root, the one before is valid). Look at the notice, list and mend the users, then start " +
  "once with IGGY_SYSTEM_STATE_ACCEPT_DAMAGE=true";
const acceptsNothingText = "system.state.accept_damage is set, but no earlier start found metadata lost: remove it";

/** Throws MetadataKeyError, DataVersionError, TakeoverError. `hasSetRootPassword`: the root user is new, or has a new password. */
export async function openMetadata(
  start: ShardSetup,
  host: Pick<ShardHost, "disk" | "clock" | "hashPassword">,
  statistics: Statistics,
  log: Logger,
  auditLog: Logger,
): Promise<{ readonly metadataLog: MetadataLog; readonly hasSetRootPassword: boolean }> {
  const { system } = start.config;
  const { disk, clock, hashPassword } = host;
  const { stateDirectory } = dataPaths(system);
  const cipher = system.encryption.enabled ? { cipher: createCipher(system.encryption.key) } : {};
  const openLog = (enforceFsync: boolean, acceptDamage: boolean) =>
    MetadataLog.open({
      disk,
      directory: stateDirectory,
      enforceFsync,
      acceptDamage,
      bootId: readBootId(),
      ...cipher,
      onSnapshotFailure: (error) => log.error("no snapshot of the metadata could be taken", { error }),
    });
  takeOver({
    disk,
    stateDirectory,
    defaults: { messageExpiryMicros: system.topic.messageExpiry, maxTopicSizeBytes: system.topic.maxSize },
    nowMicros: clock.nowMicros(),
    ...cipher,
    openLog: () => openLog(false, false).log,
    onInfo: (message, fields) => log.info(message, fields),
  });
  // A message that survives a power loss is of no use without the topic that names it: one durability for both.
  const enforceFsync = system.state.enforceFsync || system.partition.acknowledge === "sync";
  const { log: metadataLog, state, repairs, damage, acceptedNotice } = openLog(enforceFsync, system.state.acceptDamage);
  statistics.add("repairedMetadataEntries", repairs.length);
  for (const repair of repairs) log.warn("the metadata log was repaired", { ...repair });
  for (const text of damage === undefined ? [] : describeDamage(damage)) log.error(`metadata is lost: ${text}`);
  if (acceptedNotice !== undefined)
    log.warn("the loss of metadata is accepted: users log in again", { acceptedNotice });
  else if (system.state.acceptDamage) log.warn(acceptsNothingText);
  if (state.areUsersLocked) log.error(lockedText, { notice: metadataPaths(stateDirectory).damageNotice });
  const hidesNames = system.encryption.enabled;
  const hasSetRootPassword = await prepareRootUser(metadataLog, start.root, {
    clock,
    hashPassword,
    log,
    auditLog,
    hidesNames,
  });
  return { metadataLog, hasSetRootPassword };
}

/** Another one after each start of the system; undefined where the system does not say. */
function readBootId(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return undefined; // no process file system here
  }
}
