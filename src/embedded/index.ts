// `whippet/embedded`: the broker inside a test, in the test's own process. For Bun; elsewhere there is `whippet/spawn`.

export type {
  Broker,
  BrokerNetwork,
  BrokerOptions,
  BrokerTransport,
  InProcessBroker,
  StartBroker,
} from "../spawn/broker.ts";
export { startBroker } from "./start-broker.ts";
