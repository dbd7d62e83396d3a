// What carries the frames of a client: TCP, WebSocket, or what a program brings along.

import type { ClientTlsOptions, Connection } from "./connection.ts";

export type TransportAddress = {
  readonly host: string;
  readonly port: number;
  /** Undefined: no TLS. */
  readonly tls?: ClientTlsOptions;
  /** Time to establish the connection. */
  readonly connectTimeoutMs: number;
};

export interface Transport {
  /** As `client.server.transport` shows it. */
  readonly name: string;
  /** Schemes of the connection strings that it serves, without the colon. */
  readonly schemes: readonly string[];
  /** Opens a connection; CannotEstablishConnection (9) with the reason as `cause`. */
  open(address: TransportAddress): Promise<Connection>;
}
