// A client for tests of the server, by host and port: it sends what it is told to and nothing by itself, not even pings.
import { type Client, type ClientTlsOptions, type ConnectOptions, connect } from "../../src/client/index.bun.ts";

export type ClientOptions = Pick<ConnectOptions, "reconnect" | "requestTimeoutMs" | "connectTimeoutMs"> & {
  readonly host: string;
  readonly port: number;
  /** `tcp` if not given. With `tls` either is encrypted. */
  readonly transport?: "tcp" | "websocket";
  readonly tls?: ClientTlsOptions;
  /** With a password: logs in as part of connecting. */
  readonly username?: string;
  readonly password?: string;
};

const schemes = { tcp: ["iggy", "iggy+tls"], websocket: ["iggy+ws", "iggy+wss"] } as const;

/** Connects, and logs in if user name and password are given. The errors of `connect`. */
export function connectClient(options: ClientOptions): Promise<Client> {
  const { host, port, transport = "tcp", username, password, ...rest } = options;
  const scheme = schemes[transport][rest.tls === undefined ? 0 : 1];
  return connect(`${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`, {
    ...rest,
    heartbeatMs: 0,
    ...(username === undefined || password === undefined ? {} : { credentials: { username, password } }),
  });
}
