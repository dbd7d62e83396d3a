/** The state as it stands in a snapshot: lists instead of maps, no id tables (they are built again when loaded). */
import { addEntry, createCatalog, entriesById } from "./catalog.ts";
import { createState, type MetadataState, type Stream, type Topic, type User } from "./state.ts";

export interface PlainState {
  readonly streams: readonly PlainStream[];
  readonly users: readonly User[];
}

type PlainStream = Omit<Stream, "topics"> & { readonly topics: readonly PlainTopic[] };

/** One creation time for each partition, in order of id. */
type PlainTopic = Omit<Topic, "partitions"> & { readonly partitionTimesMicros: readonly number[] };

/** Equal states give equal lists: everything is in ascending id. */
export function toPlainState(state: MetadataState): PlainState {
  return {
    streams: entriesById(state.streams).map(({ topics, ...stream }) => ({
      ...stream,
      topics: entriesById(topics).map(({ partitions, ...topic }) => ({
        ...topic,
        partitionTimesMicros: partitions.map((partition) => partition.createdAtMicros),
      })),
    })),
    users: entriesById(state.users).map((user) => ({ ...user })),
  };
}

export function fromPlainState(plain: PlainState): MetadataState {
  const state = createState();
  for (const { topics, ...stream } of plain.streams) {
    const catalog = createCatalog<Topic>();
    for (const { partitionTimesMicros, ...topic } of topics) {
      const partitions = partitionTimesMicros.map((createdAtMicros) => ({ createdAtMicros }));
      addEntry(catalog, { ...topic, partitions });
    }
    addEntry(state.streams, { ...stream, topics: catalog });
  }
  for (const user of plain.users) addEntry(state.users, { ...user });
  return state;
}
