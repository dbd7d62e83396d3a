/**
 * Opening the metadata: newest intact snapshot, then the log entries behind it. Damage never prevents a start, and a flipped
 * bit costs nothing: everything is there twice. Where both copies of an entry are bad, those behind it are applied where the
 * state takes them, what is missing is said, and users stay locked until the operator confirms (`damage.ts`). What was never
 * known to be durable is another matter: a power loss may leave any part of it, so everything from the first missing entry
 * on is cut off and kept aside. An intact entry that does not fit the state of intact data is a bug or another version: that
 * throws. So does a missing or wrong key, and data of a version that this program does not know, before anything is changed.
 */
import { dirname } from "node:path";
import { type Disk, DiskError } from "../platform/disk.ts";
import { apply } from "./apply.ts";
import { decryptPayload, type MetadataCipher } from "./cipher.ts";
import {
  isLocked,
  type MetadataDamage,
  type MetadataRepair,
  type MissingEntries,
  type UnappliedEntry,
  writeDamageNotice,
} from "./damage.ts";
import type { MetadataEvent } from "./events.ts";
import { keepBytes, keepCopy, keepRenamed, type MetadataPaths, readFile, syncFile } from "./files.ts";
import { checkKey } from "./key-check.ts";
import { type LogContent, type LogEntry, readLog } from "./log-entries.ts";
import { decodePlain } from "./plain-data.ts";
import { replaceBothSnapshots } from "./snapshot.ts";
import { loadNewestSnapshot } from "./snapshot-choice.ts";
import { createState, type MetadataState, rebuildAllIds } from "./state.ts";

export interface Recovered {
  readonly state: MetadataState;
  /** Index of the last entry in `state`, or of the last one that is missing; 0: none. */
  readonly lastIndex: number;
  /** Index of the last entry in the newest snapshot; 0: there is none. */
  readonly snapshotIndex: number;
  /** Whether the newest snapshot is of the version that this program writes. */
  readonly isCurrent: boolean;
  /** Where the next entry goes in the log file. */
  readonly logSizeBytes: number;
  /** Whether a file was found in clear although there is a key. */
  readonly mustEncrypt: boolean;
  readonly repairs: readonly MetadataRepair[];
  readonly damage: MetadataDamage | undefined;
}

export interface RecoveryOptions {
  readonly disk: Disk;
  readonly paths: MetadataPaths;
  readonly cipher: MetadataCipher | undefined;
  /** Entries with this stamp were written since the system was started: no power loss came between. 0: not known. */
  readonly bootStamp: number;
}

/**
 * Reads, and repairs where needed, the files of `paths`. Throws `DiskError` if the disk itself fails, `MetadataKeyError`
 * where `cipher` does not fit what is on it, `DataVersionError` where that is of a version that is not known.
 */
export function recover(options: RecoveryOptions): Recovered {
  const { disk, paths, cipher } = options;
  if (!disk.exists(paths.directory)) {
    disk.makeDirectory(paths.directory);
    disk.syncDirectory(dirname(paths.directory));
  }
  const log = readLog(disk, paths.log);
  const previous = readLog(disk, paths.previousLog);
  const holdsClearText = checkKey(disk, paths, cipher, [log, previous]);
  const mustEncrypt = cipher !== undefined && holdsClearText;
  return { ...new Recovery(options).run(log, previous), mustEncrypt };
}

class Recovery {
  readonly #disk: Disk;
  readonly #paths: MetadataPaths;
  readonly #cipher: MetadataCipher | undefined;
  readonly #bootStamp: number;
  readonly #repairs: MetadataRepair[] = [];
  readonly #missing: MissingEntries[] = [];
  readonly #unapplied: UnappliedEntry[] = [];
  /** Logs in which the second copy made something good; those with bytes that belong to no entry. */
  readonly #correctedPaths = new Set<string>();
  readonly #strayPaths = new Set<string>();
  #isOpenEnded = false;
  #state: MetadataState = createState();
  #lastIndex = 0;
  #snapshotIndex = 0;

  constructor({ disk, paths, cipher, bootStamp }: RecoveryOptions) {
    this.#disk = disk;
    this.#paths = paths;
    this.#cipher = cipher;
    this.#bootStamp = bootStamp;
  }

  run(log: LogContent, previous: LogContent): Omit<Recovered, "mustEncrypt"> {
    const chosen = loadNewestSnapshot(this.#disk, this.#paths, this.#cipher);
    this.#repairs.push(...chosen.repairs);
    if (chosen.snapshot !== undefined) {
      this.#state = chosen.snapshot.state;
      this.#lastIndex = chosen.snapshot.lastIndex;
    }
    this.#snapshotIndex = this.#lastIndex;

    const firstLogged = log.entries[0]?.index;
    if (firstLogged !== undefined && firstLogged <= this.#lastIndex + 1) this.#reportCorrections(previous);
    else {
      this.#replay(previous, true);
      // The newest snapshot is gone, and what it held may have ended with more than is found.
      const hasTail = previous.intactBytes < previous.sizeBytes;
      if (chosen.isNewestDamaged && hasTail && firstLogged === undefined) this.#isOpenEnded = true;
    }
    const usedPreviousLog = this.#lastIndex > this.#snapshotIndex;
    const lastLogged = this.#replay(log, false);
    if (chosen.isNewestDamaged && chosen.snapshot === undefined && this.#lastIndex === 0) this.#isOpenEnded = true;
    rebuildAllIds(this.#state);

    const isDamaged = this.#isDamaged;
    const hasCorrections = this.#correctedPaths.size + this.#strayPaths.size > 0;
    const isBehind = lastLogged !== undefined && lastLogged !== this.#lastIndex;
    // A snapshot in place of another has none behind it, and an append must follow the last entry, not an earlier one.
    const mustRestart = chosen.mustReplace || usedPreviousLog || isBehind || isDamaged || hasCorrections;
    const isRestarted = mustRestart && this.#restartFiles(chosen.damagedPaths, isBehind);
    this.#syncLog();
    this.#state.areUsersLocked = isDamaged || isLocked(this.#disk, this.#paths);
    return {
      state: this.#state,
      lastIndex: this.#lastIndex,
      snapshotIndex: isRestarted ? this.#lastIndex : this.#snapshotIndex,
      isCurrent: isRestarted || chosen.snapshot?.isCurrent === true,
      logSizeBytes: this.#sizeOf(log.path),
      repairs: this.#repairs,
      damage: isDamaged ? this.#damage() : undefined,
    };
  }

  get #isDamaged(): boolean {
    return this.#isOpenEnded || this.#missing.length > 0;
  }

  #damage(): MetadataDamage {
    return { missing: this.#missing, unapplied: this.#unapplied, isOpenEnded: this.#isOpenEnded };
  }

  /**
   * Applies what is new; returns the index of the last entry that stays in the file. `isDurable`: all of it was, once. What
   * is torn or was never durable is moved out of a file that is not.
   */
  #replay(content: LogContent, isDurable: boolean): number | undefined {
    let lastKept: LogEntry | undefined;
    for (const entry of content.entries) {
      if (entry.index > this.#lastIndex + 1) {
        const next = this.#lastIndex + 1;
        if (!isDurable && !this.#wasDurable(content, next, entry)) {
          const reason = `entry ${entry.index} does not follow entry ${this.#lastIndex}`;
          this.#cutTail(content, lastKept?.end ?? 0, reason);
          this.#reportCorrections(readLog(this.#disk, content.path));
          return lastKept?.index;
        }
        this.#noteMissing(next, entry.index - 1);
      }
      lastKept = entry;
      if (entry.index <= this.#lastIndex) continue;
      this.#apply(entry, content.path);
      this.#lastIndex = entry.index;
    }
    if (content.syncedIndex > this.#lastIndex) this.#noteMissing(this.#lastIndex + 1, content.syncedIndex);
    this.#reportCorrections(content);
    if (!isDurable && content.intactBytes < content.sizeBytes) {
      this.#cutTail(content, content.intactBytes, "torn or damaged entry");
    }
    return lastKept?.index;
  }

  /** Whether entry `index` was once durable, so that no power loss explains that it is missing before `found`. */
  #wasDurable(content: LogContent, index: number, found: LogEntry): boolean {
    if (found.isOld || content.syncedIndex >= index) return true;
    const stamp = this.#bootStamp;
    return stamp !== 0 && content.entries.some((entry) => entry.index >= index && entry.bootStamp === stamp);
  }

  #noteMissing(firstIndex: number, lastIndex: number): void {
    this.#missing.push({ firstIndex, lastIndex });
    this.#lastIndex = lastIndex;
  }

  #apply(entry: LogEntry, path: string): void {
    const clear = entry.isEncrypted ? decryptPayload(entry.payload, this.#cipher, path) : entry.payload;
    const event = decodePlain(clear) as MetadataEvent;
    try {
      apply(this.#state, event);
    } catch (error) {
      if (!this.#isDamaged) {
        throw new Error(`metadata log entry ${entry.index} is intact but cannot be applied`, { cause: error });
      }
      this.#unapplied.push({ index: entry.index, kind: event.kind });
    }
  }

  #reportCorrections({ path, entries, strayBytes, hasCorrectedMark }: LogContent): void {
    const report = (paths: Set<string>, reason: string) => {
      paths.add(path);
      this.#repairs.push({ path, droppedBytes: 0, keptAs: undefined, reason });
    };
    const corrected = entries.filter((entry) => entry.isCorrected).map((entry) => entry.index);
    if (corrected.length > 0) {
      const which = `one of the two copies of entry ${corrected.join(", ")} is damaged`;
      report(this.#correctedPaths, `${which}; the other one is used`);
    }
    if (hasCorrectedMark) report(this.#correctedPaths, "one of the two copies of a mark is damaged");
    if (strayBytes > 0) report(this.#strayPaths, `${strayBytes} bytes between entries belong to none`);
  }

  /** Copies the bytes from `position` on into a file of their own, durably, before it cuts them off. */
  #cutTail({ path, sizeBytes }: LogContent, position: number, reason: string): void {
    const bytes = readFile(this.#disk, path)?.subarray(position) ?? new Uint8Array(0);
    // On a full disk: what is torn off was never answered, and the start matters more.
    const keptAs = withRoom(() => keepBytes(this.#disk, this.#paths, path, bytes));
    const file = this.#disk.open(path, "readWrite");
    try {
      file.truncate(position);
      file.syncNow();
    } finally {
      file.close();
    }
    this.#repairs.push({ path, droppedBytes: sizeBytes - position, keptAs, reason });
  }

  /**
   * Two new snapshots and no log: from here on everything is as it should be. A crash on the way starts over. False where
   * the disk is full: then the files stay, and the next start comes to the same. Throws `DiskError` where they cannot
   * (`isBehind`).
   */
  #restartFiles(damagedSnapshots: readonly string[], isBehind: boolean): boolean {
    try {
      this.#replaceFiles(damagedSnapshots);
      return true;
    } catch (error) {
      if (isBehind || !isFull(error)) throw error;
      return false;
    }
  }

  #replaceFiles(damagedSnapshots: readonly string[]): void {
    const disk = this.#disk;
    const { directory, log, previousLog, snapshot, previousSnapshot } = this.#paths;
    if (this.#isDamaged) {
      writeDamageNotice(disk, this.#paths, this.#damage());
      // The last intact ones: with the logs they are all that is left of what is missing.
      for (const path of [snapshot, previousSnapshot]) {
        if (disk.exists(path) && !damagedSnapshots.includes(path)) {
          this.#noteKept(path, keepCopy(disk, this.#paths, path), "snapshot before the damage");
        }
      }
    }
    for (const path of damagedSnapshots) {
      const droppedBytes = this.#sizeOf(path);
      const keptAs = keepRenamed(disk, this.#paths, path);
      this.#repairs.push({ path, droppedBytes, keptAs, reason: "damaged snapshot" });
    }
    const newest = { state: this.#state, lastIndex: this.#lastIndex };
    replaceBothSnapshots(disk, this.#paths, newest, this.#cipher);
    for (const path of [log, previousLog]) {
      if (!disk.exists(path)) continue;
      if (this.#isDamaged || this.#strayPaths.has(path)) {
        this.#noteKept(path, keepRenamed(disk, this.#paths, path), "log with damaged entries");
      } else if (this.#correctedPaths.has(path)) disk.remove(path); // all of it is in the snapshots
    }
    if (disk.exists(log)) disk.rename(log, previousLog);
    disk.syncDirectory(directory);
  }

  #noteKept(path: string, keptAs: string, reason: string): void {
    this.#repairs.push({ path, droppedBytes: this.#sizeOf(keptAs), keptAs, reason });
  }

  /**
   * What a killed process wrote may not be durable yet, entries and names alike. From here on it is the state that clients
   * see, and an append that is synced relies on everything before it.
   */
  #syncLog(): void {
    const { directory, log } = this.#paths;
    if (this.#disk.exists(log)) syncFile(this.#disk, log);
    this.#disk.syncDirectory(directory);
  }

  #sizeOf(path: string): number {
    return readFile(this.#disk, path)?.byteLength ?? 0;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof DiskError && (error.errorCode === "ENOSPC" || error.errorCode === "EDQUOT");
}

/** What `work` returns; undefined where the disk has no room for it. Throws `DiskError` otherwise. */
function withRoom<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isFull(error)) return undefined;
    throw error;
  }
}
