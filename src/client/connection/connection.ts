// What the client needs of a connection, whatever carries it.

/** How a server's certificate is checked. */
export type ClientTlsOptions = {
  /** Certificates that are trusted, PEM; the system's if not given. */
  readonly ca?: string;
  /** Name that the certificate must have; the host if not given. */
  readonly serverName?: string;
  /** false: any certificate is accepted. */
  readonly verify?: boolean;
};

/** Takes what the server sends unasked; the payload belongs to it. */
export type PushHandler = (code: number, payload: Uint8Array) => void;

export interface Connection {
  /** Set by whoever has subscribed to something; what comes without it is dropped. */
  onPush?: PushHandler | undefined;
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  readonly isClosed: boolean;
  /** Requests without a reply yet. */
  readonly inFlightCount: number;
  /** Bytes that have come since the beginning: as long as they grow, a connection that is slow is not dead. */
  readonly receivedBytes: number;
  /**
   * Sends a request and resolves with the payload of its reply, which then belongs to the caller. A payload in parts is
   * sent as if joined. It is not copied if it is large, so it must not change until the reply came. Rejects with the
   * IggyError of the reply's status, or with a ConnectionLostError (`Disconnected`) if the connection ends first.
   */
  request(code: number, payload: Uint8Array | readonly Uint8Array[]): Promise<Uint8Array>;
  /** Ends the connection at once; requests in flight are rejected. Calling it again does nothing. */
  close(): void;
}
