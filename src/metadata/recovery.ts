/**
 * Opening the metadata: newest intact snapshot, then the log entries behind it. Damage never prevents a start: what cannot
 * be used is kept beside the file under another name and reported, and the state is that of the longest intact prefix.
 * An intact entry that does not fit the state is not damage but a bug or another version: that throws. So does a missing or
 * wrong key for encrypted files, before anything is changed.
 */
import { dirname } from "node:path";
import { assert } from "../platform/assert.ts";
import type { Disk } from "../platform/disk.ts";
import { apply } from "./apply.ts";
import { decryptPayload, type MetadataCipher } from "./cipher.ts";
import type { MetadataEvent } from "./events.ts";
import { damagedPath, type MetadataPaths, readFile, writeFile } from "./files.ts";
import { checkKey } from "./key-check.ts";
import { type LogEntry, scanEntries } from "./log-entries.ts";
import { decodePlain } from "./plain-data.ts";
import { readSnapshot, replaceBothSnapshots, type Snapshot } from "./snapshot.ts";
import { createState, type MetadataState, rebuildAllIds } from "./state.ts";

/** Something that was found damaged and taken out of use; the caller logs it. */
export interface MetadataRepair {
  /** Path of the damaged file. */
  readonly path: string;
  readonly droppedBytes: number;
  /** Path of the file that holds the dropped bytes. */
  readonly keptAs: string;
  readonly reason: string;
}

export interface Recovered {
  readonly state: MetadataState;
  /** Index of the last entry in `state`; 0: none. */
  readonly lastIndex: number;
  /** Index of the last entry in the newest snapshot; 0: there is none. */
  readonly snapshotIndex: number;
  /** Where the next entry goes in the log file. */
  readonly logSizeBytes: number;
  /** Whether a file was found in clear although there is a key. */
  readonly mustEncrypt: boolean;
  readonly repairs: readonly MetadataRepair[];
}

/**
 * Reads, and repairs where needed, the files of `paths`. Throws `DiskError` if the disk itself fails, `MetadataKeyError`
 * where `cipher` does not fit what is on it.
 */
export function recover(disk: Disk, paths: MetadataPaths, cipher: MetadataCipher | undefined): Recovered {
  if (!disk.exists(paths.directory)) {
    disk.makeDirectory(paths.directory);
    disk.syncDirectory(dirname(paths.directory));
  }
  const holdsClearText = checkKey(disk, paths, cipher);
  const mustEncrypt = cipher !== undefined && holdsClearText;
  return { ...new Recovery(disk, paths, cipher).run(), mustEncrypt };
}

class Recovery {
  readonly #disk: Disk;
  readonly #paths: MetadataPaths;
  readonly #cipher: MetadataCipher | undefined;
  readonly #repairs: MetadataRepair[] = [];
  #state: MetadataState = createState();
  #lastIndex = 0;

  constructor(disk: Disk, paths: MetadataPaths, cipher: MetadataCipher | undefined) {
    this.#disk = disk;
    this.#paths = paths;
    this.#cipher = cipher;
  }

  run(): Omit<Recovered, "mustEncrypt"> {
    const { log, previousLog } = this.#paths;
    const isFallback = this.#loadSnapshot();
    const snapshotIndex = this.#lastIndex;

    const entries = this.#readEntries(log);
    const firstLogged = entries[0]?.index;
    if (firstLogged === undefined || firstLogged > this.#lastIndex + 1) {
      this.#replay(previousLog, this.#readEntries(previousLog));
    }
    const usedPreviousLog = this.#lastIndex > snapshotIndex;
    this.#replay(log, entries);
    rebuildAllIds(this.#state);

    const lastLogged = entries.at(-1)?.index;
    // A snapshot in place of another has none behind it, and an append must follow the last entry, not an earlier one.
    const mustRestart = isFallback || usedPreviousLog || (lastLogged !== undefined && lastLogged !== this.#lastIndex);
    if (mustRestart) this.#restartFiles();
    this.#syncLog();
    return {
      state: this.#state,
      lastIndex: this.#lastIndex,
      snapshotIndex: mustRestart ? this.#lastIndex : snapshotIndex,
      logSizeBytes: this.#sizeOf(log),
      repairs: this.#repairs,
    };
  }

  /** Starts from the newest intact snapshot, or from nothing; returns whether it is not the one that should be there. */
  #loadSnapshot(): boolean {
    const { snapshot, newSnapshot, previousSnapshot } = this.#paths;
    const newest = this.#readSnapshot(snapshot);
    if (typeof newest !== "string") {
      this.#startFrom(newest);
      this.#disk.remove(newSnapshot); // an attempt that came to nothing
      return false;
    }
    // A crash may have come between the two renames of a new snapshot: then that one is whole under its first name.
    const unnamed = readSnapshot(this.#disk, newSnapshot, this.#cipher);
    const intact = [unnamed, this.#readSnapshot(previousSnapshot)].filter((found) => typeof found !== "string");
    intact.sort((left, right) => right.lastIndex - left.lastIndex);
    if (intact[0] !== undefined) this.#startFrom(intact[0]);
    return newest === "damaged" || intact.length > 0;
  }

  #startFrom({ state, lastIndex }: Snapshot): void {
    this.#state = state;
    this.#lastIndex = lastIndex;
  }

  /** A damaged one is set aside. */
  #readSnapshot(path: string): Snapshot | "missing" | "damaged" {
    const found = readSnapshot(this.#disk, path, this.#cipher);
    if (found === "damaged") {
      const keptAs = damagedPath(this.#disk, path);
      const droppedBytes = this.#sizeOf(path);
      this.#disk.rename(path, keptAs);
      this.#disk.syncDirectory(this.#paths.directory);
      this.#repairs.push({ path, droppedBytes, keptAs, reason: "damaged snapshot" });
    }
    return found;
  }

  /** The intact entries of a log file; anything behind them is moved out of it. */
  #readEntries(path: string): LogEntry[] {
    const bytes = readFile(this.#disk, path);
    if (bytes === undefined) return [];
    const { entries, intactBytes } = scanEntries(bytes);
    if (intactBytes < bytes.byteLength) this.#cutTail(path, intactBytes, "torn or damaged entry");
    return entries;
  }

  /** Applies what is new; entries behind a gap are moved out of their file and of `entries`. */
  #replay(path: string, entries: LogEntry[]): void {
    const first = entries[0];
    if (first !== undefined && first.index > this.#lastIndex + 1) {
      this.#cutTail(path, first.position, `entry ${first.index} does not follow entry ${this.#lastIndex}`);
      entries.length = 0;
    }
    for (const entry of entries) {
      if (entry.index <= this.#lastIndex) continue;
      const clear = entry.isEncrypted ? decryptPayload(entry.payload, this.#cipher, path) : entry.payload;
      applyEvent(this.#state, entry.index, clear);
      this.#lastIndex = entry.index;
    }
  }

  /** Copies the bytes from `position` on into a file of their own, durably, before it cuts them off. */
  #cutTail(path: string, position: number, reason: string): void {
    const bytes = readFile(this.#disk, path);
    assert(bytes !== undefined && bytes.byteLength > position, "a log that is cut has bytes to cut", {
      path,
      position,
    });
    const keptAs = damagedPath(this.#disk, path);
    const dropped = bytes.subarray(position);
    writeFile(this.#disk, keptAs, dropped);
    this.#disk.syncDirectory(this.#paths.directory);
    const file = this.#disk.open(path, "readWrite");
    try {
      file.truncate(position);
      file.syncNow();
    } finally {
      file.close();
    }
    this.#repairs.push({ path, droppedBytes: dropped.byteLength, keptAs, reason });
  }

  /** Two new snapshots and no log: from here on everything is as it should be. A crash on the way starts over. */
  #restartFiles(): void {
    const { directory, log, previousLog } = this.#paths;
    const snapshot = { state: this.#state, lastIndex: this.#lastIndex };
    replaceBothSnapshots(this.#disk, this.#paths, snapshot, this.#cipher);
    if (this.#disk.exists(log)) this.#disk.rename(log, previousLog);
    this.#disk.syncDirectory(directory);
  }

  /**
   * What a killed process wrote may not be durable yet, entries and names alike. From here on it is the state that clients
   * see, and an append that is synced relies on everything before it.
   */
  #syncLog(): void {
    const { directory, log } = this.#paths;
    if (this.#disk.exists(log)) {
      const file = this.#disk.open(log, "readWrite");
      try {
        file.syncNow();
      } finally {
        file.close();
      }
    }
    this.#disk.syncDirectory(directory);
  }

  #sizeOf(path: string): number {
    if (!this.#disk.exists(path)) return 0;
    const file = this.#disk.open(path, "read");
    try {
      return file.sizeBytes();
    } finally {
      file.close();
    }
  }
}

function applyEvent(state: MetadataState, index: number, payload: Uint8Array): void {
  try {
    apply(state, decodePlain(payload) as MetadataEvent);
  } catch (error) {
    throw new Error(`metadata log entry ${index} is intact but cannot be applied`, { cause: error });
  }
}
