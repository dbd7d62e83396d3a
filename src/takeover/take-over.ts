/**
 * Takes over the metadata of a data directory that Iggy wrote (spec SB 3.8): once, before the metadata log is opened. The
 * messages stay where they are; both servers lay them out the same way (spec SB 3.1).
 *
 * Everything is read and checked before anything is written, so that a log that cannot be read leaves the directory as it
 * was. Then, each step durable before the next:
 *
 *   1. the file `log.takeover` is made: from here on our metadata files beside it are unfinished
 *   2. all events are appended to our log
 *   3. `log` is renamed to `log.iggy`: the take-over is done
 *   4. `log.takeover` is removed
 *
 * A start that finds `log.takeover` goes by `log`: still there means that our files are removed and made again; gone means
 * that only step 4 is missing.
 */
import { entriesById, type MetadataLog } from "../metadata/index.ts";
import { assert } from "../platform/assert.ts";
import { type Disk, readWhole } from "../platform/disk.ts";
import { type CommandCipher, readIggyEntries } from "./iggy-state-log.ts";
import { type EventsOptions, type TranslatedLog, toEvents } from "./to-events.ts";

/** Every file of our metadata starts so; none of the original's does. */
const ownPrefix = "metadata.";

const markerText =
  "Whippet is taking over the file log. If you see this, it was interrupted; the next start repeats it.\n";

export interface TakeOverOptions extends EventsOptions {
  readonly disk: Disk;
  readonly stateDirectory: string;
  /** For a server that encrypted; the same key as for messages. */
  readonly cipher?: CommandCipher;
  /**
   * Opens our log in `stateDirectory`, empty. Appends need not be synced one by one: it is closed, and thereby synced,
   * before the original gives up its name.
   */
  readonly openLog: () => MetadataLog;
  /** For the log of the server. */
  readonly onInfo: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface TakenOver {
  readonly entriesCount: number;
  /** Path of the original file. */
  readonly keptAs: string;
}

/**
 * Undefined if there is nothing to take over, which is so at every start but the first. Throws `TakeoverError` on an entry
 * that cannot be read or does not fit, with nothing written, and `DiskError` or `IggyError` if the disk fails; then the next
 * start begins again.
 */
export function takeOver(options: TakeOverOptions): TakenOver | undefined {
  const { disk, stateDirectory, onInfo } = options;
  const original = `${stateDirectory}/log`;
  const marker = `${stateDirectory}/log.takeover`;
  const hasOriginal = disk.exists(original);
  const wasInterrupted = disk.exists(marker);
  if (!hasOriginal) {
    if (wasInterrupted) removeDurably(disk, stateDirectory, [marker]);
    return undefined;
  }
  const ownFiles = disk.list(stateDirectory).filter((name) => name.startsWith(ownPrefix));
  if (!wasInterrupted && ownFiles.length > 0) {
    onInfo("the Iggy metadata log is not read, because this server has metadata of its own", { path: original });
    return undefined;
  }

  const translated = toEvents(readIggyEntries(readWhole(disk, original), options.cipher), options);
  if (wasInterrupted) {
    onInfo("an interrupted take-over starts again", { path: original });
    removeDurably(
      disk,
      stateDirectory,
      ownFiles.map((name) => `${stateDirectory}/${name}`),
    );
  } else {
    writeMarker(disk, stateDirectory, marker);
  }
  appendAll(options.openLog(), translated);
  disk.syncDirectory(stateDirectory);
  const keptAs = freePath(disk, `${stateDirectory}/log.iggy`);
  disk.rename(original, keptAs);
  disk.syncDirectory(stateDirectory);
  removeDurably(disk, stateDirectory, [marker]);
  onInfo("took over the metadata of an Iggy server", { ...countsOf(translated), keptAs });
  return { entriesCount: translated.entriesCount, keptAs };
}

function writeMarker(disk: Disk, directory: string, path: string): void {
  const file = disk.open(path, "create");
  try {
    file.write([new TextEncoder().encode(markerText)], 0);
    file.syncNow();
  } finally {
    file.close();
  }
  disk.syncDirectory(directory);
}

/** Closed in any case, which also makes it durable. */
function appendAll(log: MetadataLog, { events }: TranslatedLog): void {
  try {
    assert(log.lastIndex === 0, "a take-over starts with an empty log", { lastIndex: log.lastIndex });
    for (const event of events) log.append(event);
  } finally {
    log.close();
  }
}

function removeDurably(disk: Disk, directory: string, paths: readonly string[]): void {
  for (const path of paths) disk.remove(path);
  disk.syncDirectory(directory);
}

/** A name that is free: a rename would replace what an earlier take-over kept. */
function freePath(disk: Disk, path: string): string {
  if (!disk.exists(path)) return path;
  let number = 2;
  while (disk.exists(`${path}.${number}`)) number++;
  return `${path}.${number}`;
}

function countsOf({ state, entriesCount, expiredTokensCount }: TranslatedLog): Readonly<Record<string, number>> {
  const topics = entriesById(state.streams).flatMap((stream) => entriesById(stream.topics));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    entries: entriesCount,
    streams: state.streams.byId.size,
    topics: topics.length,
    partitions: sum(topics.map((topic) => topic.partitions.length)),
    groups: sum(topics.map((topic) => topic.groups.byId.size)),
    users: state.users.byId.size,
    tokens: state.tokensByHash.size,
    expiredTokens: expiredTokensCount,
  };
}
