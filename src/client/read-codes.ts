// Which commands change nothing, so that they may be sent a second time. Poll messages may store an offset: its caller says.

import { CommandCode } from "../protocol/codes.ts";

const readCodes: ReadonlySet<number> = new Set([
  CommandCode.ping,
  CommandCode.getStats,
  CommandCode.getSnapshot,
  CommandCode.getClusterMetadata,
  CommandCode.getMe,
  CommandCode.getClient,
  CommandCode.getClients,
  CommandCode.getUser,
  CommandCode.getUsers,
  CommandCode.getPersonalAccessTokens,
  CommandCode.getConsumerOffset,
  CommandCode.getStream,
  CommandCode.getStreams,
  CommandCode.getTopic,
  CommandCode.getTopics,
  CommandCode.getConsumerGroup,
  CommandCode.getConsumerGroups,
]);

export function isRead(code: number): boolean {
  return readCodes.has(code);
}
