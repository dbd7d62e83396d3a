// The directories of what was deleted, and of what nobody named. A deletion is in the log before its directory is touched, and
// the metadata remember it until the directory is away; so whatever lies below the streams directory is of something that
// exists, of a remembered deletion, or unknown. Unknown things are set aside: a name may be missing because metadata were lost.

import { isRemovedLog, type MetadataEvent, type MetadataState, type Removal, type Stream } from "../metadata/index.ts";
import type { Disk } from "../platform/disk.ts";
import { DiskError } from "../platform/disk.ts";
import { legacyLogId, readMarkedLogId, type StorageCounter, type StorageLog } from "../storage/index.ts";
import type { TakenDirectories } from "./directories.ts";
import type { DataPaths } from "./paths.ts";

/** A stream, a topic or a partition. */
export interface Place {
  readonly streamId: number;
  readonly topicId?: number;
  readonly partitionId?: number;
}

export interface RemovedPlacesOptions {
  readonly disk: Disk;
  readonly paths: DataPaths;
  readonly directories: TakenDirectories;
  readonly log?: StorageLog | undefined;
  readonly count?: ((key: StorageCounter, by?: number) => void) | undefined;
}

export class RemovedPlaces {
  readonly #options: RemovedPlacesOptions;

  constructor(options: RemovedPlacesOptions) {
    this.#options = options;
  }

  /** Takes away what stood at places that were just deleted. Whether all is away; what is not is tried again by `finish`. */
  takeAway(state: MetadataState, places: readonly Place[]): boolean {
    const { disk, directories, log } = this.#options;
    const ended = places
      // One that exists again has another directory: it could only be made because this one was away.
      .filter((place) => !isLive(state, place))
      .map((place) => this.#directoryOf(place))
      .filter((directory) => disk.exists(directory));
    const failure = directories.removeAll(ended);
    if (failure === undefined) return true;
    log?.warn("what was deleted could not be taken away yet, its number stays taken", { error: failure.message });
    return false;
  }

  /**
   * Takes away what a remembered deletion or purge has left, and only that: log ids tell. Whether nothing is left.
   * `isStart`: no partition is open yet, so that what an interrupted purge left can be taken from under one that exists.
   */
  finish(state: MetadataState, removal: Removal, isStart: boolean): boolean {
    const { streamId, topicId, firstPartitionId, logs } = removal;
    return this.#try({ streamId }, () => {
      const stream = state.streams.byId.get(streamId);
      if (stream === undefined) return this.#removeEnded(state, { streamId });
      const topicIds = topicId === undefined ? logs.map((ended) => ended.topicId) : [topicId];
      const outcomes = topicIds.map((id) => this.#finishTopic(state, stream, id, firstPartitionId, isStart));
      return outcomes.every((isDone) => isDone);
    });
  }

  /**
   * Whether something new can be made here: nothing is in its place, or nothing but what is unknown, which is set aside.
   * `isPending`: whether a removal is not carried out yet.
   */
  isUsable(state: MetadataState, place: Place, isPending: (removalId: number) => boolean): boolean {
    if (!this.#options.disk.exists(this.#directoryOf(place))) return true;
    if (hasPendingRemoval(state, place, isPending)) return false;
    return this.#try(place, () => this.#setAside(place));
  }

  /** At a start, before partitions are opened: sets everything aside that is unknown. One look at each directory of a topic. */
  setUnknownAside(state: MetadataState, isPending: (removalId: number) => boolean): void {
    const { paths } = this.#options;
    for (const streamId of this.#numbersIn(paths.streamsDirectory)) {
      const stream = state.streams.byId.get(streamId);
      if (stream === undefined) {
        this.#leave(state, isPending, { streamId });
        continue;
      }
      for (const topicId of this.#numbersIn(paths.topicsDirectory(streamId))) {
        const topic = stream.topics.byId.get(topicId);
        if (topic === undefined) {
          this.#leave(state, isPending, { streamId, topicId });
          continue;
        }
        for (const partitionId of this.#numbersIn(paths.partitionsDirectory(streamId, topicId))) {
          if (partitionId >= topic.partitions.length) this.#leave(state, isPending, { streamId, topicId, partitionId });
        }
      }
    }
  }

  #finishTopic(
    state: MetadataState,
    { id: streamId, topics }: Stream,
    topicId: number,
    firstPartitionId: number,
    isStart: boolean,
  ): boolean {
    const topic = topics.byId.get(topicId);
    if (topic === undefined) return this.#removeEnded(state, { streamId, topicId });
    let isDone = true;
    for (const partitionId of this.#list(this.#options.paths.partitionsDirectory(streamId, topicId))) {
      if (partitionId < firstPartitionId) continue;
      const place = { streamId, topicId, partitionId };
      if (partitionId >= topic.partitions.length) isDone = this.#removeEnded(state, place) && isDone;
      else if (this.#holdsEnded(state, place)) isDone = isStart && this.#remove(place) && isDone;
    }
    return isDone;
  }

  /** Unless it holds a log that did not end by a deletion: that one is unknown. */
  #removeEnded(state: MetadataState, place: Place): boolean {
    return this.#hasEnded(state, place) ? this.#remove(place) : true;
  }

  /** Whether every log that lies here ended by a deletion or purge that is remembered. Throws `DiskError`. */
  #hasEnded(state: MetadataState, { streamId, topicId, partitionId }: Place): boolean {
    const { disk, paths } = this.#options;
    if (topicId === undefined) {
      const topicIds = this.#list(paths.topicsDirectory(streamId));
      return topicIds.every((id) => this.#hasEnded(state, { streamId, topicId: id }));
    }
    if (partitionId === undefined) {
      const partitionIds = this.#list(paths.partitionsDirectory(streamId, topicId));
      return partitionIds.every((id) => this.#hasEnded(state, { streamId, topicId, partitionId: id }));
    }
    const isEmpty = readMarkedLogId(disk, paths.partitionDirectory(streamId, topicId, partitionId)) === undefined;
    return isEmpty || this.#holdsEnded(state, { streamId, topicId, partitionId });
  }

  #holdsEnded(state: MetadataState, place: Required<Place>): boolean {
    const { disk, paths } = this.#options;
    const logId = readMarkedLogId(disk, paths.partitionDirectory(place.streamId, place.topicId, place.partitionId));
    return logId !== undefined && isRemovedLog(state, place, logId === legacyLogId ? undefined : logId);
  }

  /** Unknown: set aside, unless it is of a deletion that could not be carried out yet. */
  #leave(state: MetadataState, isPending: (removalId: number) => boolean, place: Place): void {
    if (!hasPendingRemoval(state, place, isPending)) this.#try(place, () => this.#setAside(place));
  }

  #remove(place: Place): true {
    const { disk, directories } = this.#options;
    const directory = this.#directoryOf(place);
    if (disk.exists(directory)) directories.remove(directory);
    return true;
  }

  #setAside(place: Place): true {
    const { directories, log, count } = this.#options;
    const directory = this.#directoryOf(place);
    const keptAs = directories.setAside(directory);
    count?.("setAside");
    log?.warn("a directory that the metadata do not name was set aside", { directory, keptAs });
    return true;
  }

  /** A disk that refuses is said, and changes nothing else. */
  #try(place: Place, work: () => boolean): boolean {
    try {
      return work();
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      const directory = this.#directoryOf(place);
      this.#options.log?.warn("a directory could not be taken away yet, its number stays taken", {
        directory,
        error: thrown.message,
      });
      return false;
    }
  }

  #directoryOf({ streamId, topicId, partitionId }: Place): string {
    const { paths } = this.#options;
    if (topicId === undefined) return paths.streamDirectory(streamId);
    if (partitionId === undefined) return paths.topicDirectory(streamId, topicId);
    return paths.partitionDirectory(streamId, topicId, partitionId);
  }

  /** What cannot be listed is left for the next start. */
  #numbersIn(directory: string): number[] {
    try {
      return this.#list(directory);
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      this.#options.log?.warn("a directory cannot be looked through", { directory, error: thrown.message });
      return [];
    }
  }

  /** Numbers of what lies in a directory; anything else there is nobody's concern. Throws `DiskError`. */
  #list(directory: string): number[] {
    return this.#options.disk.list(directory).filter(isNumber).map(Number);
  }
}

/** Places whose directories an event ends; `state` is that before it. */
export function placesEndedBy(state: MetadataState, event: MetadataEvent): Place[] {
  switch (event.kind) {
    case "streamDeleted":
      return [{ streamId: event.streamId }];
    case "topicDeleted":
      return [{ streamId: event.streamId, topicId: event.topicId }];
    case "partitionsDeleted": {
      const { streamId, topicId, count } = event;
      const end = state.streams.byId.get(streamId)?.topics.byId.get(topicId)?.partitions.length ?? 0;
      return Array.from({ length: count }, (_, index) => ({ streamId, topicId, partitionId: end - count + index }));
    }
    default:
      return [];
  }
}

/** Whether something exists there now. */
function isLive(state: MetadataState, { streamId, topicId, partitionId }: Place): boolean {
  const stream = state.streams.byId.get(streamId);
  if (topicId === undefined || stream === undefined) return stream !== undefined;
  const topic = stream.topics.byId.get(topicId);
  return topic !== undefined && (partitionId === undefined || partitionId < topic.partitions.length);
}

/** Whether a removal that is not carried out yet concerns what stands at a place, or around it. */
function hasPendingRemoval(state: MetadataState, place: Place, isPending: (removalId: number) => boolean): boolean {
  for (const removal of state.removals.values()) {
    if (removal.streamId !== place.streamId || !isPending(removal.removalId)) continue;
    if (removal.topicId === undefined || place.topicId === undefined) return true;
    if (removal.topicId !== place.topicId) continue;
    if (place.partitionId === undefined || place.partitionId >= removal.firstPartitionId) return true;
  }
  return false;
}

/** A number as it is written for a directory. */
function isNumber(name: string): boolean {
  return /^(0|[1-9]\d*)$/.test(name);
}
