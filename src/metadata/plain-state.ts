/**
 * The state as it stands in a snapshot: lists instead of maps, no id tables (they are built again when loaded), no members of
 * groups (their connections end with the process).
 */
import { addEntry, createCatalog, entriesById } from "./catalog.ts";
import { createGroup } from "./group-assignment.ts";
import {
  type ConsumerGroup,
  createState,
  type MetadataState,
  type Stream,
  type Token,
  type Topic,
  type User,
} from "./state.ts";

export interface PlainState {
  readonly streams: readonly PlainStream[];
  readonly users: readonly PlainUser[];
}

type PlainStream = Omit<Stream, "topics"> & { readonly topics: readonly PlainTopic[] };

/** One creation time for each partition, in order of id. */
type PlainTopic = Omit<Topic, "partitions" | "groups"> & {
  readonly partitionTimesMicros: readonly number[];
  /** Absent in version 1. */
  readonly groups?: readonly Pick<ConsumerGroup, "id" | "name">[];
};

type PlainUser = Omit<User, "tokensByName"> & {
  /** In the order in which they were created; absent in version 1. */
  readonly tokens?: readonly Token[];
};

/** Equal states give equal lists: everything with an id is in ascending id. */
export function toPlainState(state: MetadataState): PlainState {
  return {
    streams: entriesById(state.streams).map(({ topics, ...stream }) => ({
      ...stream,
      topics: entriesById(topics).map(({ partitions, groups, ...topic }) => ({
        ...topic,
        partitionTimesMicros: partitions.map((partition) => partition.createdAtMicros),
        groups: entriesById(groups).map(({ id, name }) => ({ id, name })),
      })),
    })),
    users: entriesById(state.users).map(({ tokensByName, ...user }) => ({
      ...user,
      tokens: [...tokensByName.values()],
    })),
  };
}

export function fromPlainState(plain: PlainState): MetadataState {
  const state = createState();
  for (const { topics, ...stream } of plain.streams) {
    const catalog = createCatalog<Topic>();
    for (const topic of topics) addEntry(catalog, toTopic(topic));
    addEntry(state.streams, { ...stream, topics: catalog });
  }
  for (const { tokens = [], ...user } of plain.users) {
    addEntry(state.users, { ...user, tokensByName: new Map(tokens.map((token) => [token.name, token])) });
    for (const { name, tokenHash } of tokens) state.tokensByHash.set(tokenHash, { userId: user.id, name });
  }
  return state;
}

function toTopic({ partitionTimesMicros, groups = [], ...topic }: PlainTopic): Topic {
  const catalog = createCatalog<ConsumerGroup>();
  for (const { id, name } of groups) addEntry(catalog, createGroup(id, name));
  const partitions = partitionTimesMicros.map((createdAtMicros) => ({ createdAtMicros }));
  return { ...topic, partitions, groups: catalog };
}
