// The single writer of metadata, on shard 0. A command becomes an event, the event is in the log, then in the state of this
// shard, then in that of every other shard; only then is it answered, so that a client reads its own write wherever it asks.
import {
  type MetadataEvent,
  type MetadataLog,
  type MetadataState,
  type PartitionsRequest,
  planCreatePartitions,
  planCreateStream,
  planCreateTopic,
  planDeletePartitions,
  planDeleteStream,
  planDeleteTopic,
  planPurgeStream,
  planPurgeTopic,
  planUpdateStream,
  planUpdateTopic,
  type StreamTarget,
  type TopicDefaults,
  type TopicSettings,
  type TopicTarget,
} from "../metadata/index.ts";
import { assertNever } from "../platform/assert.ts";
import type { Clock } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import type { DataPaths } from "./paths.ts";

/** A command that changes metadata, decoded and allowed. */
export type ControlCommand =
  | { readonly kind: "createStream"; readonly request: { readonly name: string } }
  | { readonly kind: "updateStream"; readonly request: StreamTarget & { readonly name: string } }
  | { readonly kind: "deleteStream"; readonly request: StreamTarget }
  | { readonly kind: "purgeStream"; readonly request: StreamTarget }
  | {
      readonly kind: "createTopic";
      readonly request: StreamTarget & TopicSettings & { readonly partitionsCount: number };
    }
  | { readonly kind: "updateTopic"; readonly request: TopicTarget & TopicSettings }
  | { readonly kind: "deleteTopic"; readonly request: TopicTarget }
  | { readonly kind: "purgeTopic"; readonly request: TopicTarget }
  | { readonly kind: "createPartitions"; readonly request: PartitionsRequest }
  | { readonly kind: "deletePartitions"; readonly request: PartitionsRequest };

export interface ControlPlaneOptions {
  readonly log: MetadataLog;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly paths: DataPaths;
  readonly topicDefaults: TopicDefaults;
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

  /** Carries out one command; throws the documented IggyError where it cannot be done. Calls may overlap. */
  async execute(command: ControlCommand): Promise<MetadataEvent> {
    const { log, disk, broadcast } = this.#options;
    for (;;) {
      const event = this.#plan(log.state, command);
      // Nothing is made where a removal is still under way, and what a crash between a deletion's log entry and the removal of its files left
      // must not come back to life. After waiting, the plan is made anew: nothing may come between a plan and its entry.
      const created = this.#createdDirectories(log.state, event);
      const underWay = [...this.#removals].filter(([path]) => created.some((other) => areNested(path, other)));
      const leftovers = created.filter((path) => disk.exists(path));
      if (underWay.length > 0 || leftovers.length > 0) {
        await Promise.all([...underWay.map(([, removal]) => removal), ...leftovers.map((path) => this.#remove(path))]);
        continue;
      }
      const removed = this.#removedDirectories(log.state, event);
      log.append(event);
      await broadcast(event);
      await Promise.all(removed.map((path) => this.#remove(path)));
      return event;
    }
  }

  #plan(state: MetadataState, command: ControlCommand): MetadataEvent {
    const { clock, topicDefaults } = this.#options;
    switch (command.kind) {
      case "createStream":
        return planCreateStream(state, command.request, clock.nowMicros());
      case "updateStream":
        return planUpdateStream(state, command.request);
      case "deleteStream":
        return planDeleteStream(state, command.request);
      case "purgeStream":
        return planPurgeStream(state, command.request);
      case "createTopic":
        return planCreateTopic(state, command.request, clock.nowMicros(), topicDefaults);
      case "updateTopic":
        return planUpdateTopic(state, command.request, topicDefaults);
      case "deleteTopic":
        return planDeleteTopic(state, command.request);
      case "purgeTopic":
        return planPurgeTopic(state, command.request);
      case "createPartitions":
        return planCreatePartitions(state, command.request, clock.nowMicros());
      case "deletePartitions":
        return planDeletePartitions(state, command.request);
      default:
        return assertNever(command, "a control command is of a known kind");
    }
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
