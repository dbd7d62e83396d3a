// Repairs what a start repairs, with the same code, and looks closer: sealed segments too. Everything is durable at its end.
import type { Config } from "../config/schema/index.ts";
import { describeDamage, MetadataLog } from "../metadata/index.ts";
import { realDisk } from "../platform/real-disk.ts";
import { createCipher } from "../security/encryption.ts";
import { TakenDirectories } from "../shard/directories.ts";
import { tidyStreams } from "../shard/lost-and-found.ts";
import { dataPaths } from "../shard/paths.ts";
import { Partition, type StorageLog } from "../storage/index.ts";
import { targetsOf } from "./examine.ts";
import { KeepingDisk } from "./keeping-disk.ts";
import { makeContext, readBootId } from "./storage.ts";

/** The directory waits for a start that takes it over from the original: nothing is repaired before. */
export class NotTakenOverError extends Error {
  override readonly name = "NotTakenOverError";
}

/**
 * `onLine` is told what is done. The lock of the directory must be held. Throws `DiskError` where the disk refuses,
 * `MetadataKeyError`, `DataVersionError` and `NotTakenOverError` with nothing changed.
 */
export async function repair({ system }: Config, onLine: (text: string) => void): Promise<void> {
  const paths = dataPaths(system);
  if (realDisk.exists(`${paths.stateDirectory}/log`)) {
    throw new NotTakenOverError(
      `${paths.stateDirectory}/log is the metadata log of Iggy: a start of the broker takes it over`,
    );
  }
  const disk = new KeepingDisk(realDisk, (path) => onLine(`kept a copy: ${path}`));
  const say = (message: string, fields?: Record<string, unknown>) => onLine(lineOf(message, fields));
  const log: StorageLog = { info: say, warn: say, error: say };
  const {
    log: metadataLog,
    state,
    repairs,
    damage,
  } = MetadataLog.open({
    disk,
    directory: paths.stateDirectory,
    enforceFsync: false,
    bootId: readBootId(),
    ...(system.encryption.enabled ? { cipher: createCipher(system.encryption.key) } : {}),
    onSnapshotFailure: (error) => {
      throw error;
    },
  });
  try {
    for (const repair of repairs) say("the metadata log was repaired", { ...repair });
    for (const text of damage === undefined ? [] : describeDamage(damage)) say(`metadata is lost: ${text}`);
    await tidyStreams({ metadataLog, disk, paths, messages: log });
    const directories = new TakenDirectories({ disk, streamsDirectory: paths.streamsDirectory, log });
    const context = makeContext(disk, log, directories);
    for (const { directory, identity } of targetsOf(state, paths)) {
      const partition = Partition.open(context, directory, () => undefined, identity);
      await partition.flush(true);
      await partition.close();
    }
    await directories.deleteRemoved();
  } finally {
    metadataLog.close();
  }
}

function lineOf(message: string, fields: Record<string, unknown> = {}): string {
  const named = Object.entries(fields).filter(([, value]) => value !== undefined);
  return [message, ...named.map(([name, value]) => `${name}=${value}`)].join(" ");
}
