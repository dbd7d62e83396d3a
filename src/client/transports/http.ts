// The HTTP API as a transport, for where nothing else passes: no groups, no polls that wait. Loaded when it is first used.

import { CommandCode } from "../../protocol/codes.ts";
import { openInTime } from "../connection/opening.ts";
import type { Transport } from "../connection/transport.ts";

export const httpTransport: Transport = {
  name: "http",
  schemes: ["iggy+http", "iggy+https", "http", "https"],
  async open({ host, port, tls, connectTimeoutMs }) {
    const { HttpConnection } = await import("../http/connection.ts");
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const origin = `${tls === undefined ? "http" : "https"}://${address}`;
    const connection = new HttpConnection({ origin, ...(tls === undefined ? {} : { tls }) });
    try {
      // Connections are the runtime's: a ping shows whether anybody is there.
      await openInTime(connectTimeoutMs, (opened, failed) => {
        connection.request(CommandCode.ping, new Uint8Array(0)).then(opened, failed);
      });
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  },
};
