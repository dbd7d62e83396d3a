// The client in browsers and workers, and the types of all its doors. Frames travel by WebSocket; where that does not pass, requests by HTTP.

import { type Connect, connectWith } from "./connect.ts";
import type { Transport } from "./connection/transport.ts";
import { httpTransport } from "./transports/http.ts";
import { webSocketTransport } from "./transports/websocket.ts";

export * from "./exports.ts";

/** What carries frames in this runtime, by the schemes of connection strings. */
export const transports: readonly Transport[] = [webSocketTransport, httpTransport];

/** Opens a client: `iggy+ws:`, `iggy+wss:`, `iggy+http:` and `iggy+https:`. ConnectionError, AuthenticationError, TypeError for a URL that cannot be read. */
export const connect: Connect = connectWith(transports);
