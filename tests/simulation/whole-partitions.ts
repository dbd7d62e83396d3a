/** The partitions of a whole broker as its clients see them, each with the model of its log. */
import { logIdOf, type MetadataState } from "../../src/metadata/index.ts";
import { partitionKeyOf } from "../../src/shard/index.ts";
import { LogModel } from "./whole-model.ts";

export interface OpenPartition {
  readonly key: number;
  readonly streamName: string;
  readonly log: LogModel;
  readonly groups: readonly { readonly id: number; readonly logId: string }[];
}

export class WholePartitions {
  readonly #logs = new Map<string, LogModel>();

  /** Those that `state` names. */
  of(state: MetadataState): OpenPartition[] {
    return [...state.streams.byId.values()].flatMap((stream) =>
      [...stream.topics.byId.values()].flatMap((topic) => {
        const groups = [...topic.groups.byId.values()].map(({ id, logId }) => ({ id, logId: logId! }));
        return topic.partitions.map(({ logBase }, partitionId) => ({
          key: partitionKeyOf(stream.id, topic.id, partitionId),
          streamName: stream.name,
          log: this.#logOf(logIdOf(logBase, topic.id, partitionId)!, topic.options.durability === "persisted"),
          groups,
        }));
      }),
    );
  }

  #logOf(id: string, isPersisted: boolean): LogModel {
    const known = this.#logs.get(id) ?? new LogModel(id, isPersisted);
    this.#logs.set(id, known);
    return known;
  }
}

/** Of the logs and groups of persisted topics, each with the name of its stream. */
export function persistedIdsOf(partitions: readonly OpenPartition[]): ReadonlyMap<string, string> {
  const persisted = partitions.filter(({ log }) => log.isPersisted);
  return new Map(
    persisted.flatMap(({ streamName, log, groups }) =>
      [log.id, ...groups.map(({ logId }) => logId)].map((id) => [id, `stream ${streamName}`] as const),
    ),
  );
}
