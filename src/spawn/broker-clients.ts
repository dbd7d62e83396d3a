// The clients that a broker for tests hands out, and closes with itself.

import type { Client, Connect, ConnectOptions, Topic } from "../client/index.node.ts";

export interface BrokerClientsOptions {
  readonly connect: Connect;
  /** Where to connect, with name and password. */
  readonly url: () => string;
  /** What every client gets beside what its user says. */
  readonly defaults: ConnectOptions;
}

export class BrokerClients {
  readonly #options: BrokerClientsOptions;
  readonly #clients = new Set<Client>();

  constructor(options: BrokerClientsOptions) {
    this.#options = options;
  }

  async client(options: ConnectOptions = {}): Promise<Client> {
    const { connect, url, defaults } = this.#options;
    const client = await connect(url(), { ...defaults, ...options });
    this.#clients.add(client);
    return client;
  }

  /** Over a connection of its own: another one may have been cut, and wait before it comes back. */
  async freshTopic(partitionsCount: number): Promise<Topic<Uint8Array, Uint8Array>> {
    const client = await this.client();
    const name = crypto.randomUUID();
    const topic = client.topic(`stream-${name}`, `topic-${name}`);
    await topic.ensure({ partitionsCount });
    return topic;
  }

  /** At once: what they have not finished by now, nobody waits for. */
  async close(): Promise<void> {
    const clients = [...this.#clients];
    this.#clients.clear();
    await Promise.all(clients.map((client) => client.close({ timeoutMs: 0 })));
  }
}
