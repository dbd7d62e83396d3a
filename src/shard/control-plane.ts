// The single writer of metadata, on shard 0. A command becomes an event, the event is in the log (where it is to survive a
// restart), then in the state of this shard, then in that of every other shard; only then is it answered, so that a client
// reads its own write wherever it asks.
import {
  isLogged,
  logIdBytes,
  type MetadataEvent,
  type MetadataLog,
  type MetadataState,
  type TopicDefaults,
} from "../metadata/index.ts";
import type { Clock } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import { type Random, systemRandom } from "../platform/random.ts";
import { type ControlCommand, planControl } from "./control-commands.ts";
import type { DataPaths } from "./paths.ts";

export interface ControlPlaneOptions {
  readonly log: MetadataLog;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly paths: DataPaths;
  readonly topicDefaults: TopicDefaults;
  /** `personal_access_token.max_tokens_per_user` */
  readonly tokensPerUserMax: number;
  /** For the ids of logs; the system's when absent. */
  readonly random?: Random;
  /** Applies the event on every shard, this one included; resolves when its effects are done everywhere. */
  readonly broadcast: (event: MetadataEvent) => Promise<void>;
}

export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  /** Directories that are being removed, by path. */
  readonly #removals = new Map<string, Promise<void>>();

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
  }

  /**
   * Carries out one command; throws the documented IggyError where it cannot be done. Calls may overlap. The last event of
   * the command; undefined where there was nothing to do.
   */
  async execute(command: ControlCommand): Promise<MetadataEvent | undefined> {
    const { log, clock, topicDefaults, tokensPerUserMax } = this.#options;
    for (;;) {
      const events = planControl(log.state, command, {
        nowMicros: clock.nowMicros(),
        topicDefaults,
        tokensPerUserMax,
        makeLogId: this.#makeLogId,
      });
      const obstacles = events.flatMap((event) => this.#obstacles(event));
      if (obstacles.length > 0) {
        // After waiting, the plan is made anew: nothing may come between a plan and its entry.
        await Promise.all(obstacles);
        continue;
      }
      // Everything up to the first wait of each, in order: no other command comes between.
      await Promise.all(events.map((event) => this.#carryOut(event)));
      return events.at(-1);
    }
  }

  readonly #makeLogId = (): string => {
    const bytes = Buffer.alloc(logIdBytes);
    (this.#options.random ?? systemRandom).fill(bytes);
    return bytes.toString("hex");
  };

  async #carryOut(event: MetadataEvent): Promise<void> {
    const { log, broadcast } = this.#options;
    const removed = this.#removedDirectories(log.state, event);
    if (isLogged(event)) log.append(event);
    else log.applyUnlogged(event);
    await broadcast(event);
    await Promise.all(removed.map((path) => this.#remove(path)));
  }

  /**
   * Nothing is made where a removal is still under way, and what a crash between a deletion's log entry and the removal of
   * its files left must not come back to life.
   */
  #obstacles(event: MetadataEvent): Promise<void>[] {
    const created = this.#createdDirectories(this.#options.log.state, event);
    const underWay = [...this.#removals].filter(([path]) => created.some((other) => areNested(path, other)));
    const leftovers = created.filter((path) => this.#options.disk.exists(path));
    return [...underWay.map(([, removal]) => removal), ...leftovers.map((path) => this.#remove(path))];
  }

  /** Directories whose content ends with this event. */
  #removedDirectories(state: MetadataState, event: MetadataEvent): string[] {
    const { paths } = this.#options;
    switch (event.kind) {
      case "streamDeleted":
        return [paths.streamDirectory(event.streamId)];
      case "topicDeleted":
        return [paths.topicDirectory(event.streamId, event.topicId)];
      case "partitionsDeleted": {
        const end = partitionsCountOf(state, event.streamId, event.topicId);
        return range(end - event.count, end).map((id) => paths.partitionDirectory(event.streamId, event.topicId, id));
      }
      default:
        return [];
    }
  }

  #createdDirectories(state: MetadataState, event: MetadataEvent): string[] {
    const { paths } = this.#options;
    switch (event.kind) {
      case "streamCreated":
        return [paths.streamDirectory(event.streamId)];
      case "topicCreated":
        return [paths.topicDirectory(event.streamId, event.topicId)];
      case "partitionsCreated": {
        const start = partitionsCountOf(state, event.streamId, event.topicId);
        return range(start, start + event.count).map((id) =>
          paths.partitionDirectory(event.streamId, event.topicId, id),
        );
      }
      default:
        return [];
    }
  }

  #remove(path: string): Promise<void> {
    const underWay = this.#removals.get(path);
    if (underWay !== undefined) return underWay;
    const removal = this.#options.disk.removeTree(path).finally(() => this.#removals.delete(path));
    this.#removals.set(path, removal);
    return removal;
  }
}

/** Whether one of two paths is the other or lies below it. */
function areNested(first: string, second: string): boolean {
  return `${first}/`.startsWith(`${second}/`) || `${second}/`.startsWith(`${first}/`);
}

function partitionsCountOf(state: MetadataState, streamId: number, topicId: number): number {
  return state.streams.byId.get(streamId)?.topics.byId.get(topicId)?.partitions.length ?? 0;
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
}
