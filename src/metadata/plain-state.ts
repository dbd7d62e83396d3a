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
  type Partition,
  type Removal,
  type Stream,
  type Token,
  type Topic,
  type User,
} from "./state.ts";
import { noTopicOptions, type TopicOptions } from "./topic-options.ts";

export interface PlainState {
  readonly streams: readonly PlainStream[];
  readonly users: readonly PlainUser[];
  /** Absent before version 3. */
  readonly removals?: readonly Removal[];
  readonly lastRemovalId?: number;
}

type PlainStream = Omit<Stream, "topics"> & { readonly topics: readonly PlainTopic[] };

/** One creation time for each partition, in order of id. */
type PlainTopic = Omit<Topic, "partitions" | "groups" | "options"> & {
  readonly partitionTimesMicros: readonly number[];
  /** Bases of log ids, of so many partitions one after the other; absent before version 3. */
  readonly partitionLogs?: readonly LogRun[];
  /** Absent in version 1. */
  readonly groups?: readonly PlainGroup[];
  /** Absent where there is none, and before version 3. */
  readonly options?: TopicOptions;
};

/** `logBase` is null for partitions that an older version made. */
type LogRun = { readonly count: number; readonly logBase: string | null };

/** `logId` is absent for one that an older version made. */
type PlainGroup = Pick<ConsumerGroup, "id" | "name"> & { readonly logId?: string };

type PlainUser = Omit<User, "tokensByName" | "credentialsVersion" | "keptAccessTokenId"> & {
  /** Both are absent where an older version wrote it. */
  readonly credentialsVersion?: number;
  readonly keptAccessTokenId?: string | null;
  /** In the order in which they were created; absent in version 1. */
  readonly tokens?: readonly Token[];
};

/** Equal states give equal lists: everything with an id is in ascending id. */
export function toPlainState(state: MetadataState): PlainState {
  return {
    streams: entriesById(state.streams).map(({ topics, ...stream }) => ({
      ...stream,
      topics: entriesById(topics).map(({ partitions, groups, options, ...topic }) => ({
        ...topic,
        ...(Object.keys(options).length === 0 ? {} : { options }),
        partitionTimesMicros: partitions.map((partition) => partition.createdAtMicros),
        partitionLogs: toRuns(partitions),
        groups: entriesById(groups).map(({ id, name, logId }) =>
          logId === undefined ? { id, name } : { id, name, logId },
        ),
      })),
    })),
    users: entriesById(state.users).map(({ tokensByName, ...user }) => ({
      ...user,
      tokens: [...tokensByName.values()],
    })),
    removals: [...state.removals.values()],
    lastRemovalId: state.lastRemovalId,
  };
}

export function fromPlainState(plain: PlainState): MetadataState {
  const state = createState();
  for (const { topics, ...stream } of plain.streams) {
    const catalog = createCatalog<Topic>();
    for (const topic of topics) addEntry(catalog, toTopic(topic));
    addEntry(state.streams, { ...stream, topics: catalog });
    state.topicsCount += topics.length;
    for (const { partitionTimesMicros } of topics) state.partitionsCount += partitionTimesMicros.length;
  }
  for (const { tokens = [], credentialsVersion = 0, keptAccessTokenId = null, ...user } of plain.users) {
    const tokensByName = new Map(tokens.map((token) => [token.name, token]));
    addEntry(state.users, { ...user, tokensByName, credentialsVersion, keptAccessTokenId });
    for (const { name, tokenHash } of tokens) state.tokensByHash.set(tokenHash, { userId: user.id, name });
  }
  for (const removal of plain.removals ?? []) state.removals.set(removal.removalId, removal);
  state.lastRemovalId = plain.lastRemovalId ?? 0;
  return state;
}

function toTopic({
  partitionTimesMicros,
  partitionLogs = [],
  groups = [],
  options = noTopicOptions,
  ...topic
}: PlainTopic): Topic {
  const catalog = createCatalog<ConsumerGroup>();
  for (const { id, name, logId } of groups) addEntry(catalog, createGroup(id, name, logId));
  const logBases = partitionLogs.flatMap(({ count, logBase }) => Array.from({ length: count }, () => logBase));
  let last: Partition | undefined;
  const partitions = partitionTimesMicros.map((createdAtMicros, partitionId) => {
    const logBase = logBases[partitionId] ?? undefined;
    // One object for all that are equal, as their creation made it.
    if (last?.createdAtMicros !== createdAtMicros || last.logBase !== logBase) last = { createdAtMicros, logBase };
    return last;
  });
  return { ...topic, partitions, groups: catalog, options };
}

function toRuns(partitions: readonly Partition[]): LogRun[] {
  const runs: { count: number; readonly logBase: string | null }[] = [];
  for (const { logBase = null } of partitions) {
    const last = runs.at(-1);
    if (last?.logBase === logBase) last.count++;
    else runs.push({ count: 1, logBase });
  }
  return runs;
}
