// The 47 command codes and the payload sizes of well-formed requests (spec BP 4.1). Every other code is unknown (3).

import { payloadBytesMax, sendPayloadBytesMax } from "./limits.ts";

/** Number of each command on the wire. */
export const CommandCode = {
  ping: 1,
  getStats: 10,
  getSnapshot: 11,
  getClusterMetadata: 12,
  getMe: 20,
  getClient: 21,
  getClients: 22,
  getUser: 31,
  getUsers: 32,
  createUser: 33,
  deleteUser: 34,
  updateUser: 35,
  updatePermissions: 36,
  changePassword: 37,
  loginUser: 38,
  logoutUser: 39,
  getPersonalAccessTokens: 41,
  createPersonalAccessToken: 42,
  deletePersonalAccessToken: 43,
  loginWithPersonalAccessToken: 44,
  pollMessages: 100,
  sendMessages: 101,
  flushUnsavedBuffer: 102,
  getConsumerOffset: 120,
  storeConsumerOffset: 121,
  deleteConsumerOffset: 122,
  getStream: 200,
  getStreams: 201,
  createStream: 202,
  deleteStream: 203,
  updateStream: 204,
  purgeStream: 205,
  getTopic: 300,
  getTopics: 301,
  createTopic: 302,
  deleteTopic: 303,
  updateTopic: 304,
  purgeTopic: 305,
  createPartitions: 402,
  deletePartitions: 403,
  deleteSegments: 503,
  getConsumerGroup: 600,
  getConsumerGroups: 601,
  createConsumerGroup: 602,
  deleteConsumerGroup: 603,
  joinConsumerGroup: 604,
  leaveConsumerGroup: 605,
} as const;

/** camelCase name of a command. */
export type CommandName = keyof typeof CommandCode;

/** Smallest and largest payload of a well-formed request, without tolerated trailing bytes. */
export type PayloadSizes = { readonly bytesMin: number; readonly bytesMax: number };

const empty: PayloadSizes = { bytesMin: 0, bytesMax: 0 };
const oneId: PayloadSizes = { bytesMin: 3, bytesMax: 257 };
const twoIds: PayloadSizes = { bytesMin: 6, bytesMax: 514 };
const threeIds: PayloadSizes = { bytesMin: 9, bytesMax: 771 };
const oneName: PayloadSizes = { bytesMin: 2, bytesMax: 256 };

/** Payload sizes of each command (spec BP 4.1, column "Min–max"). */
export const payloadSizes: Readonly<Record<CommandName, PayloadSizes>> = {
  ping: empty,
  getStats: empty,
  getSnapshot: { bytesMin: 2, bytesMax: 257 },
  getClusterMetadata: empty,
  getMe: empty,
  getClient: { bytesMin: 4, bytesMax: 4 },
  getClients: empty,
  getUser: oneId,
  getUsers: empty,
  createUser: { bytesMin: 5, bytesMax: payloadBytesMax },
  deleteUser: oneId,
  updateUser: { bytesMin: 5, bytesMax: 516 },
  updatePermissions: { bytesMin: 4, bytesMax: payloadBytesMax },
  changePassword: { bytesMin: 5, bytesMax: 769 },
  loginUser: { bytesMin: 11, bytesMax: payloadBytesMax },
  logoutUser: empty,
  getPersonalAccessTokens: empty,
  createPersonalAccessToken: { bytesMin: 10, bytesMax: 264 },
  deletePersonalAccessToken: oneName,
  loginWithPersonalAccessToken: oneName,
  pollMessages: { bytesMin: 29, bytesMax: 791 },
  sendMessages: { bytesMin: 96, bytesMax: sendPayloadBytesMax },
  flushUnsavedBuffer: { bytesMin: 11, bytesMax: 519 },
  getConsumerOffset: { bytesMin: 15, bytesMax: 777 },
  storeConsumerOffset: { bytesMin: 23, bytesMax: 785 },
  deleteConsumerOffset: { bytesMin: 15, bytesMax: 777 },
  getStream: oneId,
  getStreams: empty,
  createStream: oneName,
  deleteStream: oneId,
  updateStream: { bytesMin: 5, bytesMax: 513 },
  purgeStream: oneId,
  getTopic: twoIds,
  getTopics: oneId,
  createTopic: { bytesMin: 27, bytesMax: 535 },
  deleteTopic: twoIds,
  updateTopic: { bytesMin: 26, bytesMax: 788 },
  purgeTopic: twoIds,
  createPartitions: { bytesMin: 10, bytesMax: 518 },
  deletePartitions: { bytesMin: 10, bytesMax: 518 },
  deleteSegments: { bytesMin: 14, bytesMax: 522 },
  getConsumerGroup: threeIds,
  getConsumerGroups: twoIds,
  createConsumerGroup: { bytesMin: 8, bytesMax: 770 },
  deleteConsumerGroup: threeIds,
  joinConsumerGroup: threeIds,
  leaveConsumerGroup: threeIds,
};

const namesByCode = new Map<number, CommandName>();
for (const name of Object.keys(CommandCode) as CommandName[]) namesByCode.set(CommandCode[name], name);

/** Name of a command code; undefined for a number that is no command. */
export function commandNameOf(code: number): CommandName | undefined {
  return namesByCode.get(code);
}
