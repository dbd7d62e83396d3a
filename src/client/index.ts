// The client in browsers and workers, and the types of all its doors. Frames travel by WebSocket.

import { type Connect, connectWith } from "./connect.ts";
import { webSocketTransport } from "./transports/websocket.ts";

export * from "./exports.ts";

/** Opens a client: `iggy+ws:` and `iggy+wss:`. ConnectionError, AuthenticationError, TypeError for a URL that cannot be read. */
export const connect: Connect = connectWith([webSocketTransport]);
