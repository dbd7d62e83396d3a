// `whippet/spawn` in Node: a broker for tests as a process of its own.

import { connect } from "../client/index.node.ts";
import { type SpawnBroker, spawnBrokerWith } from "./spawned-broker.ts";

export type { Broker, BrokerNetwork, BrokerOptions, BrokerTransport } from "./broker.ts";
export type { SpawnBroker, SpawnOptions } from "./spawned-broker.ts";

/** Starts a broker. Rejects, with the end of its log, where it does not start. */
export const spawnBroker: SpawnBroker = spawnBrokerWith(connect);
