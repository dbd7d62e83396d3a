// TCP and TLS by `node:net`, for Node and for Deno.

import { isIP, connect as openTcp, type Socket } from "node:net";
import { connect as openTls, type TLSSocket } from "node:tls";
import { FramedConnection } from "../connection/framed-connection.ts";
import { openInTime } from "../connection/opening.ts";
import { SocketWire } from "../connection/socket-wire.ts";
import type { Transport, TransportAddress } from "../connection/transport.ts";

function openSocket({ host, port, tls }: TransportAddress): Socket | TLSSocket {
  if (tls === undefined) return openTcp({ host, port, noDelay: true });
  const name = tls.serverName ?? host;
  return openTls({
    host,
    port,
    rejectUnauthorized: tls.verify ?? true,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    // The name that is asked for cannot be an address; the certificate is checked against it all the same.
    ...(isIP(name) === 0 ? { servername: name } : {}),
  }).setNoDelay(true);
}

/** Node takes all that it is given, so it is given more only when it wants more. */
function writeSome(socket: Socket, bytes: Uint8Array): number {
  if (socket.writableNeedDrain) return 0;
  socket.write(bytes);
  return bytes.length;
}

function connectionOver(socket: Socket): FramedConnection {
  const wire = new SocketWire(
    (bytes) => writeSome(socket, bytes),
    (cause) => (cause === undefined ? socket.end() : socket.destroy()),
  );
  const connection = new FramedConnection(wire);
  socket.on("data", (chunk: Uint8Array) => connection.receive(chunk));
  socket.on("drain", () => wire.flush());
  socket.on("error", (error) => connection.end(error));
  socket.on("end", () => connection.end(undefined));
  socket.on("close", () => connection.end(undefined));
  return connection;
}

export const nodeTcpTransport: Transport = {
  name: "tcp",
  schemes: ["iggy", "iggy+tcp", "iggy+tls"],
  async open(address) {
    const socket = openSocket(address);
    try {
      await openInTime(address.connectTimeoutMs, (opened, failed) => {
        socket.once(address.tls === undefined ? "connect" : "secureConnect", opened);
        socket.once("error", failed);
        socket.once("close", () => failed(new Error("the server ended the connection")));
      });
    } catch (error) {
      socket.on("error", () => undefined); // of an attempt that is given up
      socket.destroy();
      throw error;
    }
    return connectionOver(socket);
  },
};
