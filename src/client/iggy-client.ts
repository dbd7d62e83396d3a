// A client that outlives its connection. When the connection is lost, the next request connects again, logs in again and
// is sent; a request that was under way is repeated only if that cannot do harm: it is a read, or no byte of it was sent.
// Everything else rejects with a ConnectionLostError, because only the caller knows whether a second send is a duplicate.

import { IggyError } from "../protocol/errors.ts";
import type { ExchangeOptions } from "./command-sender.ts";
import { ConnectionCommands } from "./connection/connection-commands.ts";
import { Logins } from "./connection/logins.ts";
import type { Connection } from "./connection.ts";
import { ConnectionLostError } from "./connection-lost-error.ts";
import { LoginCommands } from "./login-commands.ts";
import { isRead } from "./read-codes.ts";
import { TcpConnection, type TcpConnectionOptions } from "./tcp-connection.ts";
import { WebSocketConnection } from "./websocket-connection.ts";

export type ReconnectOptions = {
  /** Attempts before a request gives up, at least 1. */
  readonly attemptsMax: number;
  /** Pause between two attempts. */
  readonly delayMs: number;
};

export type IggyClientOptions = TcpConnectionOptions & {
  /** `tcp` if not given. With `tls` either is encrypted. */
  readonly transport?: "tcp" | "websocket";
  /** With a password: logs in as part of connecting. */
  readonly username?: string;
  readonly password?: string;
  /** false: a lost connection stays lost. */
  readonly reconnect?: ReconnectOptions | false;
};

/** Five seconds of attempts: enough for a server that restarts, short enough for a caller that waits. */
const defaultReconnect: ReconnectOptions = { attemptsMax: 10, delayMs: 500 };

export class IggyClient extends LoginCommands {
  readonly #options: IggyClientOptions;
  readonly #reconnect: ReconnectOptions | false;
  #connection: Connection | undefined;
  /** The one reconnect under way, shared by all requests that need it. */
  #connecting: Promise<Connection> | undefined;
  #isClosed = false;

  private constructor(options: IggyClientOptions) {
    const { username, password } = options;
    super(new Logins(username === undefined || password === undefined ? undefined : { username, password }));
    this.#options = options;
    this.#reconnect = options.reconnect ?? defaultReconnect;
  }

  /**
   * Connects (one attempt) and logs in if user name and password are given. CannotEstablishConnection (9) with the
   * reason as `cause` if nobody answers, or the error of the login.
   */
  static async connect(options: IggyClientOptions): Promise<IggyClient> {
    const client = new IggyClient(options);
    client.#connection = await client.#establish();
    return client;
  }

  /** Whether a connection is open now; a request may open one. */
  get isConnected(): boolean {
    return this.#connection !== undefined && !this.#connection.isClosed;
  }

  /** Ends the client; requests in flight and later ones reject. */
  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
  }

  override async exchange(
    code: number,
    payload: Uint8Array | readonly Uint8Array[],
    options: ExchangeOptions = {},
  ): Promise<Uint8Array> {
    const repeatable = options.repeatable ?? isRead(code);
    const attemptsMax = this.#reconnect === false ? 1 : 1 + this.#reconnect.attemptsMax;
    for (let attempt = 1; ; attempt++) {
      const connection = this.#openConnection() ?? (await this.#reconnected());
      try {
        return await connection.request(code, payload);
      } catch (error) {
        if (!(error instanceof ConnectionLostError) || this.#isClosed || attempt >= attemptsMax) throw error;
        if (error.requestSent && !repeatable) throw error;
      }
    }
  }

  #openConnection(): Connection | undefined {
    return this.isConnected && this.#connecting === undefined ? this.#connection : undefined;
  }

  #reconnected(): Promise<Connection> {
    if (this.#isClosed || this.#reconnect === false) return Promise.reject(new ConnectionLostError(false));
    this.#connecting ??= this.#connectAgain(this.#reconnect).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connectAgain({ attemptsMax, delayMs }: ReconnectOptions): Promise<Connection> {
    for (let attempt = 1; ; attempt++) {
      try {
        const connection = await this.#establish();
        if (this.#isClosed) {
          connection.close();
          throw new ConnectionLostError(false);
        }
        this.#connection = connection;
        return connection;
      } catch (error) {
        if (!isConnectionProblem(error) || this.#isClosed || attempt >= attemptsMax) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (this.#isClosed) throw new ConnectionLostError(false);
    }
  }

  /** A new connection that is logged in if there are credentials. */
  async #establish(): Promise<Connection> {
    const connection = await openConnection(this.#options);
    try {
      await this.logins.login(new ConnectionCommands(connection));
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }
}

function openConnection(options: IggyClientOptions): Promise<Connection> {
  if (options.transport !== "websocket") return TcpConnection.connect(options);
  const { host, port, ...rest } = options;
  const scheme = options.tls === undefined ? "ws" : "wss";
  return WebSocketConnection.connect({
    ...rest,
    url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}/`,
  });
}

/** Worth another attempt: nobody answered, or the connection went away. A refused login is not. */
function isConnectionProblem(error: unknown): boolean {
  return (
    error instanceof IggyError &&
    (error.errorName === "CannotEstablishConnection" || error.errorName === "Disconnected")
  );
}
