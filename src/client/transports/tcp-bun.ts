// TCP and TLS by the sockets of Bun.

import type { Transport } from "../connection/transport.ts";
import { TcpConnection } from "../tcp-connection.ts";

export const bunTcpTransport: Transport = {
  name: "tcp",
  schemes: ["iggy", "iggy+tcp", "iggy+tls"],
  open: (address) => TcpConnection.connect(address),
};
