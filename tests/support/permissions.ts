import type { GlobalPermissions } from "../../src/protocol/records/permissions.ts";

/** Not one of the ten global rights. */
export const noGlobalRights: GlobalPermissions = {
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
};
