// The configuration of a broker inside a test: what the server has by default, but for where it listens and what it writes.

import { ConfigError, configOf } from "../config/load.ts";
import type { Config } from "../config/schema/index.ts";
import type { BrokerOptions, BrokerTransport } from "../spawn/broker.ts";

const tableName = "the options of startBroker";
/** One shard, whatever the machine has. */
const topology = { nodes: [{ id: 0, cpus: [0], physicalCpus: [0] }] };
const allTransports: readonly BrokerTransport[] = ["tcp", "websocket", "http"];

type Values = NonNullable<BrokerOptions["config"]>;

/**
 * Throws `ConfigError`, which names every key that does not exist or whose value breaks its rule, and TypeError for a transport
 * that there is not.
 */
export function settingsOf(path: string, transports: readonly BrokerTransport[], given: Values): Config {
  // JavaScript may give what the type does not allow.
  const other = transports.find((name) => !allTransports.includes(name));
  if (other !== undefined) throw new TypeError(`transports: "${other}" is none of ${allTransports.join(", ")}`);
  const values: Record<string, string | number | boolean> = {
    "system.logging.level": "off",
    "system.logging.sysinfo_print_interval": "0",
    "observability.history.enabled": false,
    ...given,
    "system.path": path,
    "system.logging.file_enabled": false,
    "quic.enabled": false,
  };
  for (const transport of allTransports) {
    values[`${transport}.enabled`] = transports.includes(transport);
    values[`${transport}.address`] = "127.0.0.1:0";
  }
  const { config, warnings } = configOf(tableOf(values), tableName, topology);
  // A server goes on without such a key; here it is refused, so it must not read as if it were ignored.
  const unknown = warnings.filter((warning) => warning.startsWith("unknown key"));
  if (unknown.length > 0) throw new ConfigError(unknown.map((warning) => warning.replace(" is ignored", "")));
  const secured = allTransports.filter((transport) => config[transport].tls.enabled);
  if (secured.length > 0) {
    throw new ConfigError(secured.map((name) => `${name}.tls.enabled: a broker inside a test has no certificates`));
  }
  if (config.telemetry.enabled) {
    throw new ConfigError(["telemetry.enabled: a broker inside a test exports nothing"]);
  }
  return config;
}

/** Dotted names as nested tables. */
function tableOf(values: Values): object {
  const table: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const names = key.split(".");
    const last = names.pop() ?? key;
    let inner = table;
    for (const name of names) {
      const next: Record<string, unknown> = isTable(inner[name]) ? inner[name] : {};
      inner[name] = next;
      inner = next;
    }
    inner[last] = value;
  }
  return table;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
