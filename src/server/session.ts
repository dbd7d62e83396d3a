// One connection as the commands see it. Lives on the shard that holds the connection.

import type { ClientDetails } from "../protocol/records/client-header.ts";
import type { Transport } from "../protocol/records/enumerations.ts";
import { Affinity } from "./affinity.ts";
import { SendRoute } from "./send-route.ts";

/** What moves with a connection from shard to shard: plain data. */
export interface SessionState {
  /** Unique among the clients of the process. */
  readonly clientId: number;
  readonly transport: Transport;
  /** `ip:port`, IPv6 as `[ip]:port`. */
  readonly address: string;
  /** Undefined while nobody is logged in. */
  userId: number | undefined;
  /** Time of the last ping or of the connection (spec SB 8.1). */
  heartbeatMicros: number;
  /** How often the connection has moved. */
  moves: number;
}

export interface Session extends SessionState {
  readonly affinity: Affinity;
  readonly sendRoute: SendRoute;
}

export function createSession(state: SessionState): Session {
  return { ...state, affinity: new Affinity(state.moves), sendRoute: new SendRoute() };
}

/** The part of a session that another shard goes on with. */
export function sessionStateOf({ affinity: _affinity, sendRoute: _sendRoute, ...state }: Session): SessionState {
  return state;
}

export function clientDetailsOf(session: SessionState): ClientDetails {
  return {
    clientId: session.clientId,
    userId: session.userId,
    transport: session.transport,
    address: session.address,
    consumerGroupsCount: 0,
    consumerGroups: [],
  };
}
