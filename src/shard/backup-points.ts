// Points for backups, on shard 0: a directory in which every partition has linked what it holds, beside a snapshot of the metadata
// of the same moment. Whoever asked copies it, however long that takes: what is deleted or purged meanwhile stays there. A point
// that nobody keeps any more is removed.
import { dirname, join } from "node:path";
import type { MetadataLog } from "../metadata/index.ts";
import { type Clock, monotonicClock } from "../platform/clock.ts";
import { type Disk, DiskError } from "../platform/disk.ts";
import { type Random, systemRandom } from "../platform/random.ts";
import { IggyError } from "../protocol/errors.ts";
import type { StorageLog } from "../storage/index.ts";
import type { ControlPlane } from "./control-plane.ts";
import { backupPointsName, TakenDirectories } from "./directories.ts";
import type { LinkedPartitions, LinkRequest } from "./linked-partitions.ts";
import type { DataPaths } from "./paths.ts";

/** A point is removed when it was not kept for so long. */
export const pointKeepMicros = 60_000_000;
/** Each holds the room of what is removed while it is there. */
const pointsMax = 4;
const idBytes = 8;
/** Of the state directory, beside the metadata: small files. */
const copiedStateNames = ["tokens", "metadata.damage"] as const;

export interface BackupPointsOptions {
  readonly disk: Disk;
  readonly paths: DataPaths;
  readonly metadataLog: MetadataLog;
  /** One that never steps; the system's when absent. */
  readonly elapsed?: Clock | undefined;
  /** For names; the system's when absent. */
  readonly random?: Random | undefined;
  readonly messages?: StorageLog | undefined;
}

export interface BackupPoint {
  readonly pointId: string;
  /** As the broker names it; relative to its working directory where `system.path` is. */
  readonly directory: string;
  readonly partitionsCount: number;
  /** Keys of partitions that are not in it, since their files cannot be opened. */
  readonly closedKeys: readonly number[];
}

export class BackupPoints {
  readonly #options: BackupPointsOptions;
  readonly #keptMicros = new Map<string, number>();

  constructor(options: BackupPointsOptions) {
    this.#options = options;
  }

  /**
   * Makes one; changes of the metadata wait meanwhile. `linkAll` has every shard link its partitions. Rejects with
   * SnapshotFileCompletionFailed (9000) where the disk refuses, or there are as many points as may be.
   */
  async make(
    controlPlane: ControlPlane,
    linkAll: (request: LinkRequest) => Promise<readonly LinkedPartitions[]>,
  ): Promise<BackupPoint> {
    this.removeForgotten();
    if (this.#keptMicros.size >= pointsMax) {
      this.#options.messages?.warn("a backup was refused: as many are under way as may be", { count: pointsMax });
      throw failure(new Error("too many points"));
    }
    const pointId = this.#newId();
    this.#keptMicros.set(pointId, Number.POSITIVE_INFINITY); // as long as it takes
    const directory = this.#directoryOf(pointId);
    try {
      const linked = await controlPlane.atStandstill(() => {
        this.#writeState(directory);
        return linkAll({ directory });
      });
      this.#keep(pointId);
      return {
        pointId,
        directory,
        partitionsCount: linked.reduce((sum, { partitionsCount }) => sum + partitionsCount, 0),
        closedKeys: linked.flatMap(({ closedKeys }) => closedKeys),
      };
    } catch (thrown) {
      this.remove(pointId);
      this.#options.messages?.error("no point for a backup could be made", { error: String(thrown) });
      if (thrown instanceof DiskError || thrown instanceof IggyError) throw failure(thrown);
      throw thrown;
    }
  }

  /** Whoever copies says from time to time that it does. Throws ResourceNotFound (20) for a point that is gone. */
  keep(pointId: string): void {
    if (!this.#keptMicros.has(pointId)) throw new IggyError("ResourceNotFound", [pointId]);
    this.#keep(pointId);
  }

  /** Whether there was such a point. What the disk refuses to remove is left for the next start. */
  remove(pointId: string): boolean {
    const wasThere = this.#keptMicros.delete(pointId);
    if (wasThere) takeAway(this.#options, this.#directoryOf(pointId));
    return wasThere;
  }

  /** Removes the points of those who have gone without a word. */
  removeForgotten(): void {
    const nowMicros = this.#nowMicros();
    for (const [pointId, keptMicros] of this.#keptMicros) {
      if (nowMicros - keptMicros < pointKeepMicros) continue;
      this.#options.messages?.warn("a backup was given up: what it copied from is removed", { pointId });
      this.remove(pointId);
    }
  }

  /** As a start reads it: one snapshot, and no log. */
  #writeState(directory: string): void {
    const { disk, paths, metadataLog } = this.#options;
    const state = join(directory, "state");
    disk.makeDirectory(state);
    const file = disk.open(join(state, "metadata.snapshot"), "create");
    try {
      file.write([metadataLog.snapshotBytes()], 0);
    } finally {
      file.close();
    }
    for (const name of copiedStateNames) {
      const path = join(paths.stateDirectory, name);
      if (disk.exists(path)) copySmall(disk, path, join(state, name));
    }
  }

  #keep(pointId: string): void {
    this.#keptMicros.set(pointId, this.#nowMicros());
  }

  #nowMicros(): number {
    return (this.#options.elapsed ?? monotonicClock).nowMicros();
  }

  #newId(): string {
    const bytes = Buffer.alloc(idBytes);
    (this.#options.random ?? systemRandom).fill(bytes);
    return bytes.toString("hex");
  }

  #directoryOf(pointId: string): string {
    return join(this.#options.paths.streamsDirectory, backupPointsName, pointId);
  }
}

/** At a start: points of a process that is gone. */
export function removeBackupPoints(
  disk: Disk,
  paths: DataPaths,
  directories: TakenDirectories,
  messages: StorageLog | undefined,
): void {
  const parent = join(paths.streamsDirectory, backupPointsName);
  try {
    const names = disk.exists(parent) ? disk.list(parent) : [];
    for (const name of names) directories.remove(join(parent, name));
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    messages?.warn("what a backup was copied from is not removed yet", { path: parent, error: thrown.message });
  }
}

function takeAway({ disk, paths, messages }: BackupPointsOptions, directory: string): void {
  const directories = new TakenDirectories({ disk, streamsDirectory: paths.streamsDirectory, log: messages });
  try {
    if (disk.exists(directory)) directories.remove(directory);
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown;
    const fields = { path: dirname(directory), error: thrown.message };
    messages?.warn("what a backup was copied from is not removed yet", fields);
  }
  void directories.deleteRemoved();
}

function copySmall(disk: Disk, from: string, to: string): void {
  const source = disk.open(from, "read");
  try {
    const bytes = new Uint8Array(source.sizeBytes());
    const target = disk.open(to, "create");
    try {
      target.write([bytes.subarray(0, source.read(bytes, 0))], 0);
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
}

function failure(cause: Error): IggyError {
  return new IggyError("SnapshotFileCompletionFailed", [], { cause });
}
