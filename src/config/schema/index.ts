// The whole schema. The order here is the order in config.toml.
import { cluster } from "./cluster.ts";
import { connections } from "./connections.ts";
import { http } from "./http.ts";
import { limits } from "./limits.ts";
import { type Infer, section } from "./node.ts";
import { quic } from "./quic.ts";
import {
  consumerGroup,
  dataMaintenance,
  heartbeat,
  messageSaver,
  observability,
  personalAccessToken,
  telemetry,
} from "./services.ts";
import { system } from "./system.ts";
import { tcp } from "./tcp.ts";
import { websocket } from "./websocket.ts";

export const schema = section({
  tcp,
  websocket,
  quic,
  http,
  connections,
  limits,
  system,
  messageSaver,
  dataMaintenance,
  consumerGroup,
  personalAccessToken,
  heartbeat,
  observability,
  telemetry,
  cluster,
});

/** The effective configuration; durations in µs, sizes in bytes, expiries and topic sizes as wire numbers. */
export type Config = Infer<typeof schema>;
