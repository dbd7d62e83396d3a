// The client in Bun: TCP, TLS, WebSocket and HTTP.

import { type Connect, connectWith } from "./connect.ts";
import type { Transport } from "./connection/transport.ts";
import { httpTransport } from "./transports/http.ts";
import { bunTcpTransport } from "./transports/tcp-bun.ts";
import { webSocketTransport } from "./transports/websocket.ts";

export * from "./exports.ts";

/** What carries frames in this runtime, by the schemes of connection strings. */
export const transports: readonly Transport[] = [bunTcpTransport, webSocketTransport, httpTransport];

/** Opens a client. ConnectionError, AuthenticationError, TypeError for a URL that cannot be read. */
export const connect: Connect = connectWith(transports);
