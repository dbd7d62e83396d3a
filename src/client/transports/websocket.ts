// WebSocket as a transport: for pages and workers, and wherever the runtime has it.

import type { Transport } from "../connection/transport.ts";
import type { ClientTlsOptions } from "../connection.ts";
import { WebSocketConnection } from "../websocket-connection.ts";

/** Options that say nothing are left out: a browser takes none at all. */
function hasContent({ ca, serverName, verify }: ClientTlsOptions): boolean {
  return ca !== undefined || serverName !== undefined || verify === false;
}

export const webSocketTransport: Transport = {
  name: "websocket",
  schemes: ["iggy+ws", "iggy+wss", "ws", "wss"],
  open({ host, port, tls, connectTimeoutMs }) {
    if (typeof WebSocket === "undefined") {
      throw new TypeError("this runtime has no WebSocket (Node has it from version 22 on): connect by TCP, with iggy:");
    }
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return WebSocketConnection.connect({
      url: `${tls === undefined ? "ws" : "wss"}://${address}/`,
      connectTimeoutMs,
      ...(tls !== undefined && hasContent(tls) ? { tls } : {}),
    });
  },
};
