// Rights as rows that can be ticked: everywhere, for a stream, for a topic. Pure.
import {
  type GlobalFlag,
  globalFlags,
  type Permissions,
  type StreamFlag,
  type StreamPermissions,
  streamFlags,
  type TopicFlag,
  type TopicPermissions,
  topicFlags,
} from "../../client/console-client.ts";
import type { Task } from "../app/admin-address.ts";

/** One right: which, and of what. */
export type Right =
  | { readonly flag: GlobalFlag; readonly streamId?: undefined; readonly topicId?: undefined }
  | { readonly flag: StreamFlag; readonly streamId: number; readonly topicId?: undefined }
  | { readonly flag: TopicFlag; readonly streamId: number; readonly topicId: number };

const flagOf: Readonly<Record<Task, TopicFlag>> = {
  read: "readTopic",
  poll: "pollMessages",
  send: "sendMessages",
  manage: "manageTopic",
};

export const noPermissions: Permissions = {
  global: {
    manageServers: false,
    readServers: false,
    manageUsers: false,
    readUsers: false,
    manageStreams: false,
    readStreams: false,
    manageTopics: false,
    readTopics: false,
    pollMessages: false,
    sendMessages: false,
  },
  streams: [],
};

const noStream: Omit<StreamPermissions, "streamId"> = {
  manageStream: false,
  readStream: false,
  manageTopics: false,
  readTopics: false,
  pollMessages: false,
  sendMessages: false,
  topics: [],
};
const noTopic: Omit<TopicPermissions, "topicId"> = {
  manageTopic: false,
  readTopic: false,
  pollMessages: false,
  sendMessages: false,
};

/** The same rights with one more or less. Entries of streams and topics are made where they are wanted, and stay. */
export function withRight(permissions: Permissions, right: Right, isGiven: boolean): Permissions {
  const { streamId, topicId, flag } = right;
  if (streamId === undefined) return { ...permissions, global: { ...permissions.global, [flag]: isGiven } };
  const stream = permissions.streams.find((one) => one.streamId === streamId) ?? { streamId, ...noStream };
  return { ...permissions, streams: put(permissions.streams, changed(stream), ({ streamId: id }) => id) };

  function changed(before: StreamPermissions): StreamPermissions {
    if (topicId === undefined) return { ...before, [flag]: isGiven };
    const topic = before.topics.find((one) => one.topicId === topicId) ?? { topicId, ...noTopic };
    return { ...before, topics: put(before.topics, { ...topic, [flag]: isGiven }, ({ topicId: id }) => id) };
  }
}

/** In the place of the one with the same number, or in its order. */
function put<T>(all: readonly T[], one: T, idOf: (item: T) => number): readonly T[] {
  return [...all.filter((item) => idOf(item) !== idOf(one)), one].sort((left, right) => idOf(left) - idOf(right));
}

/** An entry without any right yet, so that it can be ticked. */
export function withEntry(permissions: Permissions, streamId: number, topicId?: number): Permissions {
  if (topicId === undefined) {
    const isThere = permissions.streams.some((stream) => stream.streamId === streamId);
    return isThere ? permissions : withRight(permissions, { streamId, flag: "readStream" }, false);
  }
  const stream = permissions.streams.find((one) => one.streamId === streamId);
  if (stream?.topics.some((topic) => topic.topicId === topicId)) return permissions;
  return withRight(permissions, { streamId, topicId, flag: "readTopic" }, false);
}

/** Every right that is given, in the order in which they are shown. */
export function rightsOf({ global, streams }: Permissions): readonly Right[] {
  return [
    ...globalFlags.filter((flag) => global[flag]).map((flag): Right => ({ flag })),
    ...streams.flatMap((stream) => [
      ...streamFlags.filter((flag) => stream[flag]).map((flag): Right => ({ flag, streamId: stream.streamId })),
      ...stream.topics.flatMap((topic) =>
        topicFlags
          .filter((flag) => topic[flag])
          .map((flag): Right => ({ flag, streamId: stream.streamId, topicId: topic.topicId })),
      ),
    ]),
  ];
}

export function rightKey({ flag, streamId, topicId }: Right): string {
  return `${flag} ${streamId ?? ""} ${topicId ?? ""}`;
}

/** What the second has and the first has not, and the other way round. */
export function differencesOf(
  before: Permissions,
  after: Permissions,
): { readonly given: readonly Right[]; readonly taken: readonly Right[] } {
  const [old, next] = [rightsOf(before), rightsOf(after)];
  const keys = (rights: readonly Right[]) => new Set(rights.map(rightKey));
  const [oldKeys, nextKeys] = [keys(old), keys(next)];
  return {
    given: next.filter((right) => !oldKeys.has(rightKey(right))),
    taken: old.filter((right) => !nextKeys.has(rightKey(right))),
  };
}

/** Without entries that give nothing. Undefined: there is no right at all. */
export function compactPermissions(permissions: Permissions): Permissions | undefined {
  if (rightsOf(permissions).length === 0) return undefined;
  const streams = permissions.streams
    .map((stream) => ({ ...stream, topics: stream.topics.filter((topic) => topicFlags.some((flag) => topic[flag])) }))
    .filter((stream) => stream.topics.length > 0 || streamFlags.some((flag) => stream[flag]));
  return { ...permissions, streams };
}

/** The one right that a task needs: nothing beside that topic. */
export function rightForTask(task: Task, streamId: number, topicId: number): Right {
  return { flag: flagOf[task], streamId, topicId };
}
