/**
 * After damage that no copy makes good, nobody knows which users were deleted, which passwords and rights were changed, which
 * tokens were revoked: until the operator confirms, nobody but root gets in. A file of the state directory says so, over
 * any number of starts: `metadata.damage`, for people to read; that it is there is what counts. Root gets in, by password,
 * because somebody has to look at the users and mend them before they are let in again; where the missing entries may have
 * changed root's own password, the notice says that the one before is valid.
 */
import type { Disk } from "../platform/disk.ts";
import { damagedPath, type MetadataPaths, readFile, writeFile } from "./files.ts";
import { type MetadataState, rootUserId } from "./state.ts";

/** Entries of the log that are gone: the first and the last index. */
export interface MissingEntries {
  readonly firstIndex: number;
  readonly lastIndex: number;
}

export interface UnappliedEntry {
  readonly index: number;
  /** Of the event. */
  readonly kind: string;
}

/** Something that was found damaged; the caller logs it. */
export interface MetadataRepair {
  /** Path of the damaged file. */
  readonly path: string;
  /** Bytes that are not used any more; 0 where the other copy made good what was damaged. */
  readonly droppedBytes: number;
  /** Path of the file that holds them; undefined where there are none, or the disk had no room for them. */
  readonly keptAs: string | undefined;
  readonly reason: string;
}

/** What is lost for good. */
export interface MetadataDamage {
  readonly missing: readonly MissingEntries[];
  /** Intact entries that the state did not take, because they build on what is missing. */
  readonly unapplied: readonly UnappliedEntry[];
  /** No snapshot is intact, or nothing says whether the log behind the one that is has an end. */
  readonly isOpenEnded: boolean;
}

/** Whether this user is kept out for now. */
export function isLockedOut(state: MetadataState, userId: number): boolean {
  return state.areUsersLocked && userId !== rootUserId;
}

export function isLocked(disk: Disk, { damageNotice }: MetadataPaths): boolean {
  return disk.exists(damageNotice);
}

/** Says on the disk what is missing, behind what an earlier start said. Durable when it returns. */
export function writeDamageNotice(
  disk: Disk,
  { directory, damageNotice }: MetadataPaths,
  damage: MetadataDamage,
): void {
  const before = new TextDecoder().decode(readFile(disk, damageNotice));
  const text = `${before}${describeDamage(damage).join("\n")}\n`;
  writeFile(disk, damageNotice, new TextEncoder().encode(text));
  disk.syncDirectory(directory);
}

/** The operator has looked at the users: they are let in again. Returns where the notice is kept; undefined: there is none. */
export function acceptDamage(disk: Disk, { directory, damageNotice }: MetadataPaths): string | undefined {
  if (!disk.exists(damageNotice)) return undefined;
  const keptAs = damagedPath(disk, `${damageNotice}.accepted`);
  disk.rename(damageNotice, keptAs);
  disk.syncDirectory(directory);
  return keptAs;
}

/** One line for each thing that is missing. */
export function describeDamage({ missing, unapplied, isOpenEnded }: MetadataDamage): string[] {
  return [
    ...missing.map(({ firstIndex, lastIndex }) =>
      firstIndex === lastIndex ? `entry ${firstIndex} is lost` : `entries ${firstIndex} to ${lastIndex} are lost`,
    ),
    ...unapplied.map(({ index, kind }) => `entry ${index} (${kind}) is intact but builds on what is lost: left out`),
    ...(isOpenEnded ? ["the newest snapshot is lost, and with it perhaps the newest entries"] : []),
  ];
}
