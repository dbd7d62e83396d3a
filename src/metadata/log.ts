/**
 * The durable log of the metadata state machine. It owns the state of the single writer (shard 0): an event is checked
 * against the state, written, applied. Invariants: entries are numbered without gaps; no event is in the file that the state
 * refused; what could not be written or synced leaves no trace in the state.
 *
 * Where every event is to be durable before it is seen (`enforceFsync`) there are two states: `state`, against which the
 * next event is planned, has everything that was written; `publishedState`, which clients see, only what was published, and
 * nothing is published before it is durable. So many events share one sync (group commit):
 *
 *     log.write(event);        // in the file and in `state`
 *     await log.committed();   // durable; a rejection means that it is refused, and gone from `state` already
 *     log.publish(event);      // in `publishedState`; in the order of `write`
 *
 * When a sync fails, `state` falls back to what is durable: everything written behind it is refused with it. Without
 * `enforceFsync` both states are one, `committed` resolves at once, and `sync` is for whoever saves from time to time.
 */
import { assert } from "../platform/assert.ts";
import type { Disk } from "../platform/disk.ts";
import { apply, prepare } from "./apply.ts";
import type { MetadataCipher } from "./cipher.ts";
import { acceptDamage, isLocked, type MetadataDamage, type MetadataRepair } from "./damage.ts";
import { isLogged, type MetadataEvent } from "./events.ts";
import { type MetadataPaths, metadataPaths } from "./files.ts";
import { bootStampOf, encodeEntry, encodeMark, linkOf } from "./log-entries.ts";
import { failure, MetadataLogFile } from "./log-file.ts";
import { encodePlain } from "./plain-data.ts";
import { type Recovered, recover } from "./recovery.ts";
import { encodeSnapshot, replaceBothSnapshots, replaceSnapshot } from "./snapshot.ts";
import type { MetadataState } from "./state.ts";

/** A start replays at most about this many entries: some 20 ms. */
export const snapshotEveryEntriesDefault = 10_000;

export interface MetadataLogOptions {
  readonly disk: Disk;
  /** Made if missing. */
  readonly directory: string;
  /** Nothing is seen before it is durable (`system.state.enforce_fsync`). */
  readonly enforceFsync: boolean;
  readonly snapshotEveryEntries?: number;
  /** Encrypts what is written (`system.encryption`); what was written in clear before is read, and replaced. */
  readonly cipher?: MetadataCipher | undefined;
  /**
   * Names the time since the system was started (`/proc/sys/kernel/random/boot_id`). Where it is known, an entry that is
   * missing although no power loss came between is known to be damaged.
   */
  readonly bootId?: string | undefined;
  /** The operator has seen what an earlier start found missing: users are let in again (`system.state.accept_damage`). */
  readonly acceptDamage?: boolean;
  /** A snapshot could not be taken. The log is complete without it and tries again later; the caller logs it. */
  readonly onSnapshotFailure: (error: unknown) => void;
}

/** Written, not published yet. */
interface Staged {
  readonly event: MetadataEvent;
  /** Durable once so many entries of the file are. */
  readonly entriesCount: number;
}

export class MetadataLog {
  readonly #options: MetadataLogOptions;
  readonly #paths: MetadataPaths;
  readonly #file: MetadataLogFile;
  readonly #snapshotEveryEntries: number;
  #state: MetadataState;
  readonly #publishedState: MetadataState;
  readonly #staged: Staged[] = [];
  readonly #bootStamp: number;
  /** Index of the last entry of the files that were opened; all of them are durable. */
  readonly #openedIndex: number;
  #lastIndex: number;
  /** Of the last entry; 0: not known. */
  #link = 0;
  #nextSnapshotIndex: number;
  /** Files in clear are left from the time before there was a key. */
  #mustEncrypt: boolean;

  /** Use `open`. */
  private constructor(options: MetadataLogOptions, paths: MetadataPaths, recovered: Recovered) {
    this.#options = options;
    this.#paths = paths;
    this.#file = new MetadataLogFile({
      disk: options.disk,
      paths,
      sizeBytes: recovered.logSizeBytes,
      onFailedSync: () => this.#dropRefused(),
    });
    this.#snapshotEveryEntries = options.snapshotEveryEntries ?? snapshotEveryEntriesDefault;
    this.#state = recovered.state;
    this.#publishedState = options.enforceFsync ? structuredClone(recovered.state) : recovered.state;
    this.#bootStamp = bootStampOf(options.bootId);
    this.#openedIndex = recovered.lastIndex;
    this.#lastIndex = recovered.lastIndex;
    this.#nextSnapshotIndex = recovered.snapshotIndex + this.#snapshotEveryEntries;
    this.#mustEncrypt = recovered.mustEncrypt;
  }

  /**
   * Loads the state, repairing what a crash or a bad disk left. Never fails on damage; throws `DiskError` if the disk does
   * not work, `Error` on intact data that this version cannot apply, and, without having changed a file, `MetadataKeyError`
   * where files are encrypted and `cipher` is missing or of another key, `DataVersionError` where they are of a version that
   * this program does not know.
   *
   * `damage`: what this start found to be lost; then, and at every later start until `acceptDamage`, `areUsersLocked` is
   * set in the state. `acceptedNotice`: where the notice of it is kept that this start has put away.
   */
  static open(options: MetadataLogOptions): {
    log: MetadataLog;
    state: MetadataState;
    repairs: readonly MetadataRepair[];
    damage: MetadataDamage | undefined;
    acceptedNotice: string | undefined;
  } {
    const { disk, cipher } = options;
    const paths = metadataPaths(options.directory);
    // Before anything of this start is looked at: only what the operator could have seen is accepted.
    const isAccepted = options.acceptDamage === true && isLocked(disk, paths);
    const recovered = recover({ disk, paths, cipher, bootStamp: bootStampOf(options.bootId) });
    const { state, repairs, damage } = recovered;
    const acceptedNotice = isAccepted && damage === undefined ? acceptDamage(disk, paths) : undefined;
    if (acceptedNotice !== undefined) state.areUsersLocked = false;
    const log = new MetadataLog(options, paths, recovered);
    // A sync may have failed before the restart, and nobody knows: then what this process reads may still be lost, and
    // with it all that is appended behind it. A snapshot puts the state into a file of its own and starts a new log. It also
    // says of which version the data directory is, before anything is in it that an earlier one cannot read.
    if (recovered.logSizeBytes > 0 || recovered.mustEncrypt || !recovered.isCurrent) log.#snapshotIfPossible();
    return { log, state, repairs, damage, acceptedNotice };
  }

  /** As of the last event written: what the next one is planned against. Another object after a sync has failed. */
  get state(): MetadataState {
    return this.#state;
  }

  /** As of the last event published: what clients may see. Always the same object; `state` itself without `enforceFsync`. */
  get publishedState(): MetadataState {
    return this.#publishedState;
  }

  /** Index of the last entry, counting from 1; 0: nothing logged yet. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Whether every later append will fail. */
  get isFenced(): boolean {
    return this.#file.isFenced;
  }

  /**
   * Writes the event, synced if so configured, and applies it to both states; returns its index. Blocking: for a start, and
   * for whoever has nobody to keep waiting. Throws `AssertionError` if the event does not fit the state or is not one to be
   * logged, or while something is written but not published; CannotAppendToFile (10005) or CannotSyncFile (10009) if the
   * disk fails. In each case the state is unchanged.
   */
  append(event: MetadataEvent): number {
    assert(isLogged(event), "what goes into the log is to survive a restart", { kind: event.kind });
    assert(this.#staged.length === 0, "an append follows only what is published", { kind: event.kind });
    const { change, link } = this.#writeEntry(event);
    if (this.#options.enforceFsync) this.#syncAppended();
    change();
    this.#link = link;
    if (this.#hasTwoStates) apply(this.#publishedState, event);
    this.#lastIndex++;
    this.#snapshotIfDue();
    return this.#lastIndex;
  }

  /**
   * Writes the event (one about the members of a group, which no file has, takes its place in the order all the same) and
   * applies it to `state`, without waiting for a sync; returns the index of the last entry. Throws `AssertionError` if it
   * does not fit the state, CannotAppendToFile (10005) if the disk fails; the state is unchanged then.
   *
   * `mustBeDurable`: it is so before it is applied, blocking, where there is one state; where there are two, nothing is
   * published before anyway. Throws CannotSyncFile (10009), and then it may be there after a restart.
   */
  write(event: MetadataEvent, mustBeDurable = false): number {
    const { change, link } = isLogged(event)
      ? this.#writeEntry(event)
      : { change: prepare(this.#state, event), link: this.#link };
    if (mustBeDurable && !this.#hasTwoStates) this.#syncLast();
    change();
    this.#link = link;
    if (this.#hasTwoStates) this.#staged.push({ event, entriesCount: this.#file.writtenCount });
    if (!isLogged(event)) return this.#lastIndex;
    this.#lastIndex++;
    this.#snapshotIfDue();
    return this.#lastIndex;
  }

  /**
   * Resolves when everything written before the call is durable; at once, and without any cost, where it is. One sync at a
   * time, off the event loop, for all who wait. Rejects with CannotSyncFile (10009): with `enforceFsync` everything that is
   * not durable is refused then, and gone from `state`; without, it stays, and is tried again by the next call. A sync that
   * failed ends the log for good (`isFenced`); one that could not be begun (no descriptor) does not.
   */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Resolves when everything written before the call may be seen: as `sync` with `enforceFsync`, else at once. */
  committed(): Promise<void> {
    return this.#hasTwoStates ? this.sync() : Promise.resolve();
  }

  /**
   * Shows an event that was written and is committed to those who read `publishedState`. Throws `AssertionError` unless it
   * is the oldest one that is not published yet.
   */
  publish(event: MetadataEvent): void {
    if (!this.#hasTwoStates) return;
    const [oldest] = this.#staged;
    assert(oldest?.event === event, "events are published in the order in which they were written", {
      kind: event.kind,
    });
    assert(this.#file.isDurableUpTo(oldest.entriesCount), "what is seen is durable", { kind: event.kind });
    this.#staged.shift();
    apply(this.#publishedState, event);
  }

  /**
   * Applies an event about the members of a group, which ends with the process (spec SB 3.8), to both states: no file has
   * it. Throws `AssertionError` if the event does not fit the state or must be logged, or while something is written but
   * not published; the state is unchanged then.
   */
  applyUnlogged(event: MetadataEvent): void {
    assert(!isLogged(event), "what survives a restart is logged", { kind: event.kind });
    assert(this.#staged.length === 0, "an event follows only what is published", { kind: event.kind });
    apply(this.#state, event);
    if (this.#hasTwoStates) apply(this.#publishedState, event);
  }

  /** Takes a snapshot now and starts a new log file. Throws `DiskError`; the log goes on either way. */
  snapshot(): void {
    const { disk, cipher } = this.#options;
    // Set first: a failure is not tried again at every append.
    this.#nextSnapshotIndex = this.#lastIndex + this.#snapshotEveryEntries;
    // Before the snapshot: one that holds an entry which is refused afterwards would hide the next one of that number. And
    // the old file backs up the new snapshot, so it must be durable itself.
    if (this.#file.sizeBytes > 0) this.#file.syncNow();
    const snapshot = { state: this.#state, lastIndex: this.#lastIndex };
    if (this.#mustEncrypt) {
      // Both snapshots are replaced, so that no log is needed, and the logs in clear go.
      replaceBothSnapshots(disk, this.#paths, snapshot, cipher);
      this.#file.discard();
      this.#mustEncrypt = false;
      return;
    }
    replaceSnapshot(disk, this.#paths, snapshot, cipher);
    this.#file.rotate();
  }

  /** A snapshot of what was published, with nothing under way, as the file of one: for a backup. Encrypted where files are. */
  snapshotBytes(): Uint8Array {
    return encodeSnapshot({ state: this.#state, lastIndex: this.#lastIndex }, this.#options.cipher);
  }

  /** Makes everything durable and lets go of the file. Throws `DiskError`. */
  close(): void {
    this.#file.close(encodeMark(this.#lastIndex));
  }

  get #hasTwoStates(): boolean {
    return this.#state !== this.#publishedState;
  }

  /** The change that is to be made to `state` once the entry is to stay, and what the next one names it by. */
  #writeEntry(event: MetadataEvent): { readonly change: () => void; readonly link: number } {
    const change = prepare(this.#state, event);
    const entry = this.#encode(this.#lastIndex + 1, event);
    this.#file.write(entry);
    return { change, link: linkOf(entry) };
  }

  #encode(index: number, event: MetadataEvent): Uint8Array {
    const { cipher } = this.#options;
    const context = {
      syncedIndex: this.#openedIndex + this.#file.durableCount,
      bootStamp: this.#bootStamp,
      previous: this.#link,
    };
    const clear = encodePlain(event);
    return encodeEntry(index, cipher === undefined ? clear : cipher.encrypt(clear), cipher !== undefined, context);
  }

  #syncAppended(): void {
    try {
      this.#file.syncNow();
    } catch (error) {
      this.#file.takeBackUnsynced();
      throw failure("CannotSyncFile", error);
    }
  }

  /** Those before it were answered without a sync, and stay. */
  #syncLast(): void {
    try {
      this.#file.syncNow();
    } catch (error) {
      this.#file.takeBackLast();
      throw failure("CannotSyncFile", error);
    }
  }

  /** A sync has failed: whatever waits for it is refused, and `state` goes back to what is durable. */
  #dropRefused(): void {
    if (!this.#hasTwoStates) return;
    const kept = this.#staged.filter(({ entriesCount }) => this.#file.isDurableUpTo(entriesCount));
    for (const { event } of this.#staged.splice(kept.length)) if (isLogged(event)) this.#lastIndex--;
    this.#file.takeBackUnsynced();
    this.#link = 0;
    this.#state = structuredClone(this.#publishedState);
    for (const { event } of kept) apply(this.#state, event);
  }

  #snapshotIfDue(): void {
    if (this.#lastIndex >= this.#nextSnapshotIndex) this.#snapshotIfPossible();
  }

  #snapshotIfPossible(): void {
    try {
      this.snapshot();
    } catch (error) {
      this.#options.onSnapshotFailure(error);
    }
  }
}
