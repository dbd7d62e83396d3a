// The client in Node, and in Deno: TCP, TLS, and WebSocket from Node 22 on.

import { type Connect, connectWith } from "./connect.ts";
import { nodeTcpTransport } from "./transports/tcp-node.ts";
import { webSocketTransport } from "./transports/websocket.ts";

export * from "./exports.ts";

/** Opens a client. ConnectionError, AuthenticationError, TypeError for a URL that cannot be read. */
export const connect: Connect = connectWith([nodeTcpTransport, webSocketTransport]);
