// Where a broker for tests is reached.

import type { BrokerTransport } from "./broker.ts";

const schemes = { tcp: "iggy", websocket: "iggy+ws" } as const;

/** With name and password, but of HTTP, where programs send them otherwise. TypeError for port 0: nobody listens. */
export function urlOf(
  transport: BrokerTransport,
  port: number,
  { username, password }: { readonly username: string; readonly password: string },
): string {
  if (port === 0)
    throw new TypeError(`the broker does not listen for "${transport}": name it in the option transports`);
  if (transport === "http") return `http://127.0.0.1:${port}`;
  return `${schemes[transport]}://${username}:${password}@127.0.0.1:${port}`;
}
