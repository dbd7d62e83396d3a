// One connection as the commands see it. Lives on the shard that holds the connection.

import type { ClientDetails } from "../protocol/records/client-header.ts";
import type { Transport } from "../protocol/records/enumerations.ts";

export interface Session {
  /** Unique among the clients of the process. */
  readonly clientId: number;
  readonly transport: Transport;
  /** `ip:port`, IPv6 as `[ip]:port`. */
  readonly address: string;
  /** Undefined while nobody is logged in. */
  userId: number | undefined;
  /** Time of the last ping or of the connection (spec SB 8.1). */
  heartbeatMicros: number;
}

export function clientDetailsOf(session: Session): ClientDetails {
  return {
    clientId: session.clientId,
    userId: session.userId,
    transport: session.transport,
    address: session.address,
    consumerGroupsCount: 0,
    consumerGroups: [],
  };
}
