// TCP and TLS by the sockets of Bun.

import type { Socket } from "bun";
import type { ClientTlsOptions } from "../connection/connection.ts";
import { FramedConnection } from "../connection/framed-connection.ts";
import { openInTime } from "../connection/opening.ts";
import { SocketWire } from "../connection/socket-wire.ts";
import type { Transport } from "../connection/transport.ts";

function tlsOptions({ ca, serverName, verify }: ClientTlsOptions) {
  return {
    rejectUnauthorized: verify ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

export const bunTcpTransport: Transport = {
  name: "tcp",
  schemes: ["iggy", "iggy+tcp", "iggy+tls"],
  async open({ host: hostname, port, tls, connectTimeoutMs }) {
    let socket: Socket<undefined> | undefined;
    const wire = new SocketWire(
      (bytes) => socket?.write(bytes) ?? 0,
      (cause) => (cause === undefined ? socket?.end() : socket?.terminate()),
    );
    const connection = new FramedConnection(wire);
    try {
      await openInTime(connectTimeoutMs, (opened, failed) => {
        Bun.connect<undefined>({
          hostname,
          port,
          data: undefined,
          ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
          socket: {
            open: (own) => {
              socket = own;
              if (connection.isClosed) own.terminate();
              else if (tls === undefined) opened();
            },
            handshake: (_, isTrusted, error) => {
              if (isTrusted) opened();
              else failed(error ?? new Error("the TLS handshake failed"));
            },
            data: (_, chunk) => connection.receive(chunk),
            drain: () => wire.flush(),
            end: () => connection.end(undefined),
            close: (_, error) => {
              connection.end(error ?? undefined);
              failed(error ?? new Error("the server ended the connection"));
            },
            error: (_, error) => connection.end(error),
            connectError: (_, error) => failed(error),
          },
        }).catch(failed);
      });
    } catch (error) {
      connection.end(error);
      throw error;
    }
    return connection;
  },
};
