// The client in Bun: TCP, TLS and WebSocket.

import { type Connect, connectWith } from "./connect.ts";
import { bunTcpTransport } from "./transports/tcp-bun.ts";
import { webSocketTransport } from "./transports/websocket.ts";

export * from "./exports.ts";

/** Opens a client. ConnectionError, AuthenticationError, TypeError for a URL that cannot be read. */
export const connect: Connect = connectWith([bunTcpTransport, webSocketTransport]);
