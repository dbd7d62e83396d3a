import type { Disk } from "../platform/disk.ts";
import type { MetadataCipher } from "./cipher.ts";
import type { MetadataRepair } from "./damage.ts";
import type { MetadataPaths } from "./files.ts";
import { type FoundSnapshot, readSnapshot } from "./snapshot.ts";

/** Which snapshot a start begins with. */
export interface ChosenSnapshot {
  /** Undefined: there is none, or none that is intact. */
  readonly snapshot: FoundSnapshot | undefined;
  /** It is not the one that should be there, or not whole: new ones are to be written. */
  readonly mustReplace: boolean;
  readonly isNewestDamaged: boolean;
  /** Files that are of no use. */
  readonly damagedPaths: readonly string[];
  readonly repairs: readonly MetadataRepair[];
}

/** The newest intact snapshot. Removes an attempt that came to nothing; changes nothing else. */
export function loadNewestSnapshot(disk: Disk, paths: MetadataPaths, cipher?: MetadataCipher): ChosenSnapshot {
  const { snapshot, newSnapshot, previousSnapshot } = paths;
  const newest = readSnapshot(disk, snapshot, cipher);
  const previous = readSnapshot(disk, previousSnapshot, cipher);
  const repairs: MetadataRepair[] = [];
  const damagedPaths: string[] = [];
  for (const [path, found] of [
    [snapshot, newest],
    [previousSnapshot, previous],
  ] as const) {
    if (found === "damaged") damagedPaths.push(path);
    else if (found !== "missing" && found.isCorrected) repairs.push(correction(path));
  }
  const isDamaged = damagedPaths.length + repairs.length > 0;
  const common = { isNewestDamaged: newest === "damaged", damagedPaths, repairs };
  if (typeof newest !== "string") {
    disk.remove(newSnapshot);
    return { ...common, snapshot: newest, mustReplace: isDamaged };
  }
  // A crash may have come between the two renames of a new snapshot: then that one is whole under its first name.
  const unnamed = readSnapshot(disk, newSnapshot, cipher);
  const intact = [unnamed, previous].filter((found) => typeof found !== "string");
  intact.sort((left, right) => right.lastIndex - left.lastIndex);
  return { ...common, snapshot: intact[0], mustReplace: isDamaged || intact.length > 0 };
}

function correction(path: string): MetadataRepair {
  const reason = "one of the two copies of the snapshot is damaged; the other one is used";
  return { path, droppedBytes: 0, keptAs: undefined, reason };
}
