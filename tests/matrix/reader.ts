// The limited user of the scenario, as the binary protocol has its flags.
import type { GlobalPermissions } from "../../src/protocol/records/permissions.ts";

/** May look at streams and topics and poll. */
export const readerFlags: GlobalPermissions = {
  manageServers: false,
  readServers: false,
  manageUsers: false,
  readUsers: false,
  manageStreams: false,
  readStreams: true,
  manageTopics: false,
  readTopics: true,
  pollMessages: true,
  sendMessages: false,
};
