// The client in Node, and in Deno: TCP, TLS, HTTP, and WebSocket from Node 22 on.

import { type Connect, connectWith } from "./connect.ts";
import type { Transport } from "./connection/transport.ts";
import { httpTransport } from "./transports/http.ts";
import { nodeTcpTransport } from "./transports/tcp-node.ts";
import { webSocketTransport } from "./transports/websocket.ts";

export * from "./exports.ts";

/** What carries frames in this runtime, by the schemes of connection strings. */
export const transports: readonly Transport[] = [nodeTcpTransport, webSocketTransport, httpTransport];

/** Opens a client. ConnectionError, AuthenticationError, TypeError for a URL that cannot be read. */
export const connect: Connect = connectWith(transports);
