// The directory that a backup or a restore makes. It gets its name when it is whole, in one step: what was cut short lies beside it
// under a name that says so.
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory, writeDurably } from "./file-copies.ts";
import { BackupError } from "./host.ts";

/** In a directory that is not whole. */
export const markerName = "UNFINISHED";
const markerText =
  "A backup or a restore writes here. Where none is under way, it was cut short: this directory is of no use.\n";
/** Hashes of passwords are in it. */
const directoryMode = 0o700;

export class TargetDirectory {
  readonly path: string;
  /** Where to write, until `finish`. */
  readonly unfinishedPath: string;

  private constructor(path: string) {
    this.path = path;
    this.unfinishedPath = `${path}.unfinished`;
  }

  /**
   * Begins one, with an absolute path; what an earlier attempt left is removed. Throws `BackupError` where `path` is there and not
   * empty, or the one that it is to stand in is not there.
   */
  static async begin(path: string): Promise<TargetDirectory> {
    const target = new TargetDirectory(path);
    if (existsSync(target.path) && readdirSync(target.path).length > 0) {
      throw new BackupError(`${target.path} is not empty: name a directory that is not there, or an empty one`);
    }
    if (!existsSync(dirname(target.path))) throw new BackupError(`${dirname(target.path)} is not there`);
    const { unfinishedPath } = target;
    if (existsSync(unfinishedPath)) {
      if (!existsSync(join(unfinishedPath, markerName))) {
        throw new BackupError(`${unfinishedPath} is in the way, and no backup has made it`);
      }
      await rm(unfinishedPath, { recursive: true });
    }
    await mkdir(unfinishedPath, { mode: directoryMode });
    await writeDurably(join(unfinishedPath, markerName), markerText);
    return target;
  }

  /** It is whole and durable, and has its name. */
  async finish(): Promise<void> {
    await rm(join(this.unfinishedPath, markerName));
    await syncDirectory(this.unfinishedPath);
    await rename(this.unfinishedPath, this.path);
    await syncDirectory(dirname(this.path));
  }

  /** It came to nothing. */
  async abandon(): Promise<void> {
    await rm(this.unfinishedPath, { recursive: true, force: true });
  }
}
