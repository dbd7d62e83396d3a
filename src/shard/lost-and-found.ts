// The streams directory when shard 0 starts, before any partition is opened: logged deletions and purges that were interrupted
// are finished, and what the metadata do not name is set aside.
import { type MetadataLog, planRemovalsFinished } from "../metadata/index.ts";
import type { Disk } from "../platform/disk.ts";
import type { Random } from "../platform/random.ts";
import { IggyError } from "../protocol/errors.ts";
import type { StorageCounter, StorageLog } from "../storage/index.ts";
import { removeBackupPoints } from "./backup-points.ts";
import { TakenDirectories } from "./directories.ts";
import type { DataPaths } from "./paths.ts";
import { RemovedPlaces } from "./removals.ts";

export interface TidyOptions {
  readonly metadataLog: MetadataLog;
  readonly disk: Disk;
  readonly paths: DataPaths;
  /** For the names of what is removed; the system's when absent. */
  readonly random?: Random;
  readonly messages?: StorageLog;
  readonly count?: (key: StorageCounter, by?: number) => void;
}

/**
 * What a disk refuses is said and stays as it is: its number is not given, and it is tried again. Resolves when what was
 * removed, also before, is deleted; nobody has to wait for that.
 */
export function tidyStreams({ metadataLog, disk, paths, random, messages, count }: TidyOptions): Promise<void> {
  const { state } = metadataLog;
  const directories = new TakenDirectories({ disk, streamsDirectory: paths.streamsDirectory, random, log: messages });
  const places = new RemovedPlaces({ disk, paths, directories, log: messages, count });
  const finished = new Set<number>();
  for (const removal of state.removals.values()) {
    if (places.finish(state, removal, true)) finished.add(removal.removalId);
  }
  places.setUnknownAside(state, (removalId) => !finished.has(removalId));
  for (const event of planRemovalsFinished(state, finished)) {
    try {
      metadataLog.append(event);
    } catch (thrown) {
      // On a full disk, say: they stay remembered, and the next start finds nothing left of them.
      if (!(thrown instanceof IggyError)) throw thrown;
      messages?.warn("deletions that are finished could not be noted", { error: thrown.message });
    }
  }
  removeBackupPoints(disk, paths, directories, messages);
  return directories.deleteRemoved();
}
