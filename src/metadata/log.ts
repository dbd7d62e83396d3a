/**
 * The durable log of the metadata state machine. It owns the state of the single writer (shard 0): `append` checks that an
 * event fits, writes it, applies it. Invariants: entries are numbered without gaps; no event is in the file that the state
 * refused; a failed write leaves no trace, or the log is fenced and takes nothing more until it is opened again.
 */

import { assert } from "../platform/assert.ts";
import type { Disk, DiskFile } from "../platform/disk.ts";
import { type ErrorName, IggyError } from "../protocol/errors.ts";
import { apply, prepare } from "./apply.ts";
import type { MetadataCipher } from "./cipher.ts";
import { isLogged, type MetadataEvent } from "./events.ts";
import { type MetadataPaths, metadataPaths } from "./files.ts";
import { encodeEntry } from "./log-entries.ts";
import { encodePlain } from "./plain-data.ts";
import { type MetadataRepair, type Recovered, recover } from "./recovery.ts";
import { replaceBothSnapshots, replaceSnapshot, type Snapshot } from "./snapshot.ts";
import type { MetadataState } from "./state.ts";

/** A start replays at most about this many entries: some 20 ms. */
export const snapshotEveryEntriesDefault = 10_000;

export interface MetadataLogOptions {
  readonly disk: Disk;
  /** Made if missing. */
  readonly directory: string;
  /** Every append is synced before it returns (`system.state.enforce_fsync`). */
  readonly enforceFsync: boolean;
  readonly snapshotEveryEntries?: number;
  /** Encrypts what is written (`system.encryption`); what was written in clear before is read, and replaced. */
  readonly cipher?: MetadataCipher | undefined;
  /** A snapshot could not be taken. The log is complete without it and tries again later; the caller logs it. */
  readonly onSnapshotFailure: (error: unknown) => void;
}

export class MetadataLog {
  /** As of the last event. Only `append` and `applyUnlogged` change it. */
  readonly state: MetadataState;
  readonly #options: MetadataLogOptions;
  readonly #paths: MetadataPaths;
  readonly #snapshotEveryEntries: number;
  #file: DiskFile | undefined;
  #sizeBytes: number;
  #lastIndex: number;
  #nextSnapshotIndex: number;
  /** Files in clear are left from the time before there was a key. */
  #mustEncrypt: boolean;
  #fencedBy: unknown;

  /** Use `open`. */
  private constructor(options: MetadataLogOptions, paths: MetadataPaths, recovered: Recovered) {
    this.#options = options;
    this.#paths = paths;
    this.#snapshotEveryEntries = options.snapshotEveryEntries ?? snapshotEveryEntriesDefault;
    this.state = recovered.state;
    this.#sizeBytes = recovered.logSizeBytes;
    this.#lastIndex = recovered.lastIndex;
    this.#nextSnapshotIndex = recovered.snapshotIndex + this.#snapshotEveryEntries;
    this.#mustEncrypt = recovered.mustEncrypt;
  }

  /**
   * Loads the state, repairing what a crash or a bad disk left. Never fails on damage; throws `DiskError` if the disk does
   * not work, `Error` on intact data that this version cannot apply, and `MetadataKeyError`, without having changed a file,
   * where files are encrypted and `cipher` is missing or of another key.
   */
  static open(options: MetadataLogOptions): {
    log: MetadataLog;
    state: MetadataState;
    repairs: readonly MetadataRepair[];
  } {
    const paths = metadataPaths(options.directory);
    const recovered = recover(options.disk, paths, options.cipher);
    const log = new MetadataLog(options, paths, recovered);
    // A sync may have failed before the restart, and nobody knows: then what this process reads may still be lost, and
    // with it all that is appended behind it. A snapshot puts the state into a file of its own and starts a new log.
    if (recovered.logSizeBytes > 0 || recovered.mustEncrypt) log.#snapshotIfPossible();
    return { log, state: recovered.state, repairs: recovered.repairs };
  }

  /** Index of the last entry, counting from 1; 0: nothing logged yet. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Whether every later append will fail. */
  get isFenced(): boolean {
    return this.#fencedBy !== undefined;
  }

  /**
   * Writes the event, synced if so configured, then applies it to `state`; returns its index. Throws `AssertionError` if the
   * event does not fit the state or is not one to be logged, CannotAppendToFile (10005) or CannotSyncFile (10009) if the disk fails; in each case the
   * state is unchanged.
   */
  append(event: MetadataEvent): number {
    if (this.#fencedBy !== undefined) throw new IggyError("CannotAppendToFile", [], { cause: this.#fencedBy });
    assert(isLogged(event), "what goes into the log is to survive a restart", { kind: event.kind });
    const change = prepare(this.state, event);
    const index = this.#lastIndex + 1;
    const entry = this.#encode(index, event);
    this.#write(entry);
    this.#sizeBytes += entry.byteLength;
    this.#lastIndex = index;
    change();
    if (index >= this.#nextSnapshotIndex) this.#snapshotIfPossible();
    return index;
  }

  /**
   * Applies an event about the members of a group, which ends with the process (spec SB 3.8): no file has it. Throws
   * `AssertionError` if the event does not fit the state or must be logged; the state is unchanged then.
   */
  applyUnlogged(event: MetadataEvent): void {
    assert(!isLogged(event), "what survives a restart is logged", { kind: event.kind });
    apply(this.state, event);
  }

  /** Takes a snapshot now and starts a new log file. Throws `DiskError`; the log goes on either way. */
  snapshot(): void {
    const { disk, cipher } = this.#options;
    // Set first: a failure is not tried again at every append.
    this.#nextSnapshotIndex = this.#lastIndex + this.#snapshotEveryEntries;
    const snapshot = { state: this.state, lastIndex: this.#lastIndex };
    if (this.#mustEncrypt) {
      this.#encryptFiles(snapshot);
      return;
    }
    replaceSnapshot(disk, this.#paths, snapshot, cipher);
    if (this.#sizeBytes === 0) return;
    this.#syncFile(); // the old file backs up the new snapshot, so it must be durable itself
    this.#closeFile();
    disk.rename(this.#paths.log, this.#paths.previousLog);
    this.#sizeBytes = 0; // the names become durable with that of the new file, at the next append
  }

  /** Makes everything durable and lets go of the file. Throws `DiskError`. */
  close(): void {
    try {
      this.#file?.syncNow();
    } finally {
      this.#closeFile();
      this.#fencedBy ??= new Error("the metadata log is closed");
    }
  }

  /** Encryption was switched on: both snapshots are replaced, so that no log is needed, and the logs in clear go. */
  #encryptFiles(snapshot: Snapshot): void {
    const { disk, cipher } = this.#options;
    const { directory, log, previousLog } = this.#paths;
    replaceBothSnapshots(disk, this.#paths, snapshot, cipher);
    this.#closeFile();
    disk.remove(previousLog);
    disk.remove(log);
    this.#sizeBytes = 0;
    disk.syncDirectory(directory);
    this.#mustEncrypt = false;
  }

  #encode(index: number, event: MetadataEvent): Uint8Array {
    const { cipher } = this.#options;
    const payload = encodePlain(event);
    return cipher === undefined ? encodeEntry(index, payload) : encodeEntry(index, cipher.encrypt(payload), true);
  }

  #snapshotIfPossible(): void {
    try {
      this.snapshot();
    } catch (error) {
      this.#options.onSnapshotFailure(error);
    }
  }

  #write(entry: Uint8Array): void {
    try {
      this.#openFile().write([entry], this.#sizeBytes);
    } catch (error) {
      this.#undoWrite();
      throw failure("CannotAppendToFile", error);
    }
    if (!this.#options.enforceFsync) return;
    try {
      this.#syncFile();
    } catch (error) {
      this.#undoWrite();
      throw failure("CannotSyncFile", error);
    }
  }

  /** After a failed sync nothing is known about the pages: never retry and carry on. */
  #syncFile(): void {
    try {
      this.#openFile().syncNow();
    } catch (error) {
      this.#fencedBy = error;
      throw error;
    }
  }

  /** Cuts off what a failed write may have left; a file that cannot be cut takes no more entries. */
  #undoWrite(): void {
    if (this.#file === undefined) return; // it could not even be opened
    try {
      this.#file.truncate(this.#sizeBytes);
    } catch (error) {
      this.#fencedBy ??= error;
    }
  }

  /** Opened at the first use, so that an append after a failed restart of the file tries again. */
  #openFile(): DiskFile {
    if (this.#file !== undefined) return this.#file;
    const { disk } = this.#options;
    const isNew = !disk.exists(this.#paths.log);
    const file = disk.open(this.#paths.log, "create");
    try {
      if (isNew) disk.syncDirectory(this.#paths.directory);
    } catch (error) {
      file.close();
      throw error;
    }
    this.#file = file;
    return file;
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

function failure(name: ErrorName, cause: unknown): IggyError {
  return new IggyError(name, [], { cause });
}
