// Takes a whole directory away in one step: after a crash it is there with all that is in it, or not at all.

import { freePath } from "../platform/disk.ts";
import type { StorageContext } from "./types.ts";

/** See `DirectoryRemoval.remove`. Throws `DiskError`. */
export function removeDirectory(context: StorageContext, directory: string): void {
  if (context.directories !== undefined) {
    context.directories.remove(directory);
    return;
  }
  const { disk, log } = context;
  const place = moveBeside(context, directory, ".removed");
  disk.removeTree(place).catch((thrown: unknown) => {
    log.warn("removed directory not deleted yet", { path: place, error: String(thrown) });
  });
}

/** See `DirectoryRemoval.setAside`. Throws `DiskError`. */
export function setDirectoryAside(context: StorageContext, directory: string): void {
  if (context.directories !== undefined) context.directories.setAside(directory);
  else moveBeside(context, directory, "lost+found");
}

/** Without a place for all of them, one beside the directory; where it is now. Durable when the caller has synced names. */
function moveBeside({ disk }: StorageContext, directory: string, placeName: string): string {
  const slash = directory.lastIndexOf("/");
  const parent = directory.slice(0, slash);
  const name = directory.slice(slash + 1);
  disk.makeDirectory(`${parent}/${placeName}`);
  const place = freePath(disk, `${parent}/${placeName}/${name}`);
  disk.rename(directory, place);
  return place;
}
