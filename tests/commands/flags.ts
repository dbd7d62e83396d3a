// Permissions for tests: every flag is written out by name, all others are false.
import type {
  GlobalFlag,
  Permissions,
  StreamFlag,
  StreamPermissions,
  TopicFlag,
  TopicPermissions,
} from "../../src/protocol/records/permissions.ts";

export {
  type GlobalFlag,
  globalFlags,
  type StreamFlag,
  streamFlags,
  type TopicFlag,
  topicFlags,
} from "../../src/protocol/records/permissions.ts";

export function topicRights(topicId: number, ...flags: readonly TopicFlag[]): TopicPermissions {
  return {
    topicId,
    manageTopic: flags.includes("manageTopic"),
    readTopic: flags.includes("readTopic"),
    pollMessages: flags.includes("pollMessages"),
    sendMessages: flags.includes("sendMessages"),
  };
}

export function streamRights(
  streamId: number,
  flags: readonly StreamFlag[],
  topics: readonly TopicPermissions[] = [],
): StreamPermissions {
  return {
    streamId,
    manageStream: flags.includes("manageStream"),
    readStream: flags.includes("readStream"),
    manageTopics: flags.includes("manageTopics"),
    readTopics: flags.includes("readTopics"),
    pollMessages: flags.includes("pollMessages"),
    sendMessages: flags.includes("sendMessages"),
    topics,
  };
}

export function permissions(flags: readonly GlobalFlag[], streams: readonly StreamPermissions[] = []): Permissions {
  return {
    global: {
      manageServers: flags.includes("manageServers"),
      readServers: flags.includes("readServers"),
      manageUsers: flags.includes("manageUsers"),
      readUsers: flags.includes("readUsers"),
      manageStreams: flags.includes("manageStreams"),
      readStreams: flags.includes("readStreams"),
      manageTopics: flags.includes("manageTopics"),
      readTopics: flags.includes("readTopics"),
      pollMessages: flags.includes("pollMessages"),
      sendMessages: flags.includes("sendMessages"),
    },
    streams,
  };
}
