// Which flag allows what: the table of spec SB 7.3 and nothing else, so that the server's own table is checked against it.
// Only the snapshot differs from it: the original hands it to everyone who is logged in (spec SB 13, trap 50).
import type { CommandName } from "../../src/protocol/codes.ts";
import type { GlobalFlag, StreamFlag, TopicFlag } from "./flags.ts";

export interface Right {
  readonly global: readonly GlobalFlag[];
  readonly stream: readonly StreamFlag[];
  readonly topic: readonly TopicFlag[];
}

const pollOrOffsets: Right = {
  global: ["pollMessages", "readTopics", "manageTopics", "readStreams", "manageStreams"],
  stream: ["pollMessages", "readTopics", "manageTopics", "readStream", "manageStream"],
  topic: ["pollMessages", "readTopic", "manageTopic"],
};
const sendOrFlush: Right = {
  global: ["sendMessages", "manageTopics", "manageStreams"],
  stream: ["sendMessages", "manageTopics", "manageStream"],
  topic: ["sendMessages", "manageTopic"],
};
const getStream: Right = {
  global: ["readStreams", "manageStreams"],
  stream: ["readStream", "manageStream"],
  topic: [],
};
const listStreams: Right = { global: ["readStreams", "manageStreams"], stream: [], topic: [] };
const createStream: Right = { global: ["manageStreams"], stream: [], topic: [] };
const changeStream: Right = { global: ["manageStreams"], stream: ["manageStream"], topic: [] };
const topicOrGroups: Right = {
  global: ["readTopics", "manageTopics", "readStreams", "manageStreams"],
  stream: ["readTopics", "manageTopics", "readStream", "manageStream"],
  topic: ["readTopic", "manageTopic"],
};
const listTopics: Right = { ...topicOrGroups, topic: [] };
const createTopic: Right = {
  global: ["manageTopics", "manageStreams"],
  stream: ["manageTopics", "manageStream"],
  topic: [],
};
const changeTopic: Right = { ...createTopic, topic: ["manageTopic"] };
const readUsers: Right = { global: ["readUsers", "manageUsers"], stream: [], topic: [] };
const changeUsers: Right = { global: ["manageUsers"], stream: [], topic: [] };
const servers: Right = { global: ["readServers", "manageServers"], stream: [], topic: [] };

/** What a command needs: a right, only a login, or nothing. */
export const needed: Readonly<Record<CommandName, Right | "login" | "nothing">> = {
  ping: "nothing",
  getStats: servers,
  getSnapshot: servers,
  getClusterMetadata: "login",
  getMe: "login",
  getClient: servers,
  getClients: servers,
  getUser: readUsers,
  getUsers: readUsers,
  createUser: changeUsers,
  deleteUser: changeUsers,
  updateUser: changeUsers,
  updatePermissions: changeUsers,
  changePassword: changeUsers,
  loginUser: "nothing",
  logoutUser: "login",
  getPersonalAccessTokens: "login",
  createPersonalAccessToken: "login",
  deletePersonalAccessToken: "login",
  loginWithPersonalAccessToken: "nothing",
  pollMessages: pollOrOffsets,
  sendMessages: sendOrFlush,
  flushUnsavedBuffer: sendOrFlush,
  getConsumerOffset: pollOrOffsets,
  storeConsumerOffset: pollOrOffsets,
  deleteConsumerOffset: pollOrOffsets,
  getStream,
  getStreams: listStreams,
  createStream,
  deleteStream: changeStream,
  updateStream: changeStream,
  purgeStream: changeStream,
  getTopic: topicOrGroups,
  getTopics: listTopics,
  createTopic,
  deleteTopic: changeTopic,
  updateTopic: changeTopic,
  purgeTopic: changeTopic,
  createPartitions: changeTopic,
  deletePartitions: changeTopic,
  deleteSegments: changeTopic,
  getConsumerGroup: topicOrGroups,
  getConsumerGroups: topicOrGroups,
  createConsumerGroup: topicOrGroups,
  deleteConsumerGroup: topicOrGroups,
  joinConsumerGroup: topicOrGroups,
  leaveConsumerGroup: topicOrGroups,
};
