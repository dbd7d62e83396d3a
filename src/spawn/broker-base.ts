// What brokers for tests have in common, wherever they run: their clients, their addresses, and the network in between.
import type { Client, Connect, ConnectOptions, Topic } from "../client/index.node.ts";
import type { Broker, BrokerTransport } from "./broker.ts";
import { BrokerClients } from "./broker-clients.ts";
import type { Network } from "./network.ts";
import { urlOf } from "./urls.ts";

/** Of every broker for tests. */
export const root = { username: "iggy", password: "iggy" } as const;
export const defaultTransports: readonly BrokerTransport[] = ["tcp", "websocket"];

export abstract class BrokerBase implements Broker {
  readonly network: Network;
  protected readonly clients: BrokerClients;
  #disposing: Promise<void> | undefined;

  /** `defaults`: options of every client, unless it has its own. */
  constructor(
    network: Network,
    transports: readonly BrokerTransport[],
    connect: Connect,
    defaults: Partial<ConnectOptions>,
  ) {
    this.network = network;
    const url = () => this.url(transports.find((transport) => transport !== "http"));
    this.clients = new BrokerClients({ connect, url, defaults });
  }

  url(transport: BrokerTransport = "tcp"): string {
    return urlOf(transport, this.network.portOf(transport), root);
  }

  client(options?: ConnectOptions): Promise<Client> {
    return this.clients.client(options);
  }

  freshTopic({
    partitionsCount = 1,
  }: {
    readonly partitionsCount?: number;
  } = {}): Promise<Topic<Uint8Array, Uint8Array>> {
    return this.clients.freshTopic(partitionsCount);
  }

  abstract kill(): Promise<void>;
  abstract stop(): Promise<void>;

  async restart(): Promise<void> {
    if (this.#disposing !== undefined) throw new TypeError("the broker is over");
    await this.stop();
    await this.start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.dispose();
    return this.#disposing;
  }

  /** On the same data and ports. */
  protected abstract start(): Promise<void>;
  protected abstract dispose(): Promise<void>;
}
