/**
 * The one place that knows which flag allows what (spec SB 7.3). Any listed flag is enough, levels add up, nothing denies.
 * The broker asks it for each send and poll, so it makes no objects; the console asks it which buttons to offer.
 */
import type {
  GlobalFlag,
  Permissions,
  StreamFlag,
  StreamPermissions,
  TopicFlag,
  TopicPermissions,
} from "./records/permissions.ts";

interface Grant {
  readonly global: readonly GlobalFlag[];
  readonly stream: readonly StreamFlag[];
  readonly topic: readonly TopicFlag[];
}

function grant(
  global: readonly GlobalFlag[],
  stream: readonly StreamFlag[] = [],
  topic: readonly TopicFlag[] = [],
): Grant {
  return { global, stream, topic };
}

const servers = grant(["readServers", "manageServers"]);
const readUsers = grant(["readUsers", "manageUsers"]);
const manageUsers = grant(["manageUsers"]);
const readStream = grant(["readStreams", "manageStreams"], ["readStream", "manageStream"]);
const manageStream = grant(["manageStreams"], ["manageStream"]);
const topicReaders = ["readTopics", "manageTopics", "readStreams", "manageStreams"] as const;
const topicReadersOfStream = ["readTopics", "manageTopics", "readStream", "manageStream"] as const;
const readTopic = grant(topicReaders, topicReadersOfStream, ["readTopic", "manageTopic"]);
const manageTopic = grant(["manageTopics", "manageStreams"], ["manageTopics", "manageStream"], ["manageTopic"]);
const poll = grant(
  ["pollMessages", ...topicReaders],
  ["pollMessages", ...topicReadersOfStream],
  ["pollMessages", "readTopic", "manageTopic"],
);
const send = grant(
  ["sendMessages", "manageTopics", "manageStreams"],
  ["sendMessages", "manageTopics", "manageStream"],
  ["sendMessages", "manageTopic"],
);

const grants = {
  getStats: servers,
  getClients: servers,
  getClient: servers,
  /** No command: the console's. */
  disconnectClient: grant(["manageServers"]),
  /** Copies of everything, hashes of passwords included. */
  backup: grant(["manageServers"]),
  /** Unlike in the original, where everyone who is logged in may take one (spec SB 13, trap 50). */
  getSnapshot: servers,
  /** Of another user; the own one needs no right. */
  getUser: readUsers,
  getUsers: readUsers,
  createUser: manageUsers,
  updateUser: manageUsers,
  deleteUser: manageUsers,
  updatePermissions: manageUsers,
  /** Of another user; the own one needs no right. */
  changePassword: manageUsers,
  getStream: readStream,
  getStreams: grant(["readStreams", "manageStreams"]),
  createStream: grant(["manageStreams"]),
  updateStream: manageStream,
  deleteStream: manageStream,
  purgeStream: manageStream,
  getTopic: readTopic,
  getTopics: grant(topicReaders, topicReadersOfStream),
  createTopic: grant(["manageTopics", "manageStreams"], ["manageTopics", "manageStream"]),
  updateTopic: manageTopic,
  deleteTopic: manageTopic,
  purgeTopic: manageTopic,
  createPartitions: manageTopic,
  deletePartitions: manageTopic,
  deleteSegments: manageTopic,
  /** Create, delete, get, list, join and leave alike: the right to read the topic (spec SB 13, trap 38). */
  consumerGroup: readTopic,
  /** And get, store, delete offset. */
  pollMessages: poll,
  /** And flush. */
  sendMessages: send,
} as const satisfies Record<string, Grant>;

/** What needs a right. Me, own tokens and cluster metadata need authentication only. */
export type Operation = keyof typeof grants;

/** Every operation, for tests and listings. */
export const operations = Object.keys(grants) as readonly Operation[];

/**
 * Whether these rights allow `operation`, on this stream and topic where it concerns one. Null: no right at all.
 */
export function isPermitted(
  permissions: Permissions | null,
  operation: Operation,
  streamId?: number,
  topicId?: number,
): boolean {
  if (permissions === null) return false;
  const { global, stream, topic }: Grant = grants[operation];
  for (const flag of global) if (permissions.global[flag]) return true;
  if (streamId === undefined || stream.length === 0) return false;
  const ofStream = findStreamPermissions(permissions, streamId);
  if (ofStream === undefined) return false;
  for (const flag of stream) if (ofStream[flag]) return true;
  if (topicId === undefined || topic.length === 0) return false;
  const ofTopic = findTopicPermissions(ofStream, topicId);
  if (ofTopic === undefined) return false;
  for (const flag of topic) if (ofTopic[flag]) return true;
  return false;
}

/** Whether there is any stream or topic, of those that the rights name, for which `isPermitted`. */
export function isPermittedSomewhere(permissions: Permissions | null, operation: Operation): boolean {
  if (isPermitted(permissions, operation)) return true;
  const { stream, topic }: Grant = grants[operation];
  return (permissions?.streams ?? []).some(
    (ofStream) =>
      stream.some((flag) => ofStream[flag]) || ofStream.topics.some((ofTopic) => topic.some((flag) => ofTopic[flag])),
  );
}

/** What the rights say of one stream. */
export function findStreamPermissions({ streams }: Permissions, streamId: number): StreamPermissions | undefined {
  for (const stream of streams) if (stream.streamId === streamId) return stream;
  return undefined;
}

/** What the rights of a stream say of one topic. */
export function findTopicPermissions({ topics }: StreamPermissions, topicId: number): TopicPermissions | undefined {
  for (const topic of topics) if (topic.topicId === topicId) return topic;
  return undefined;
}
