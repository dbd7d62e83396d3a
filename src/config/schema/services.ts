// The sections of background services: small ones, together in one file.
import { bool, duration, oneOf, size, text, u32 } from "./fields.ts";
import { section } from "./node.ts";

export const consumerGroup = section(
  {
    rebalancingTimeoutMicros: duration({
      default: "30s",
      doc: "Longest time that a partition may wait for its old member before it is moved by force.",
    }),
    rebalancingCheckIntervalMicros: duration({
      default: "5s",
      nonZero: true,
      doc: "How often waiting partitions are looked at.",
    }),
  },
  "Consumer groups",
);

export const dataMaintenance = section(
  {
    messages: section({
      cleanerEnabled: bool({ default: false, doc: "Delete by expiry and by size limit; off deletes nothing." }),
      intervalMicros: duration({ default: "1 m", doc: "Period of the cleaner." }),
    }),
  },
  "Retention",
);

export const messageSaver = section(
  {
    enabled: bool({ default: true, doc: "Write journals that wait in memory to disk, periodically." }),
    enforceFsync: bool({ default: true, doc: "Also sync what was written; false leaves that to the system." }),
    intervalMicros: duration({ default: "30 s", nonZero: true, doc: "Period." }),
  },
  "Message saver",
);

export const personalAccessToken = section(
  {
    maxTokensPerUser: u32({ default: 100, min: 1, doc: "Most tokens of one user." }),
    cleaner: section({
      enabled: bool({ default: true, doc: "Remove expired tokens." }),
      intervalMicros: duration({ default: "1 m", doc: "Period." }),
    }),
  },
  "Personal access tokens",
);

export const heartbeat = section(
  {
    enabled: bool({ default: false, doc: "Drop clients that do not ping." }),
    intervalMicros: duration({ default: "5 s", doc: "A client without a ping for 1.2 times this is stale." }),
  },
  "Heartbeat",
);

export const observability = section(
  {
    history: section({
      enabled: bool({ default: true, doc: "Keep numbers of the last 30 days for the charts of the console." }),
      memoryBytes: size({ default: "16 MiB", min: "8 MiB", max: "1 GiB", doc: "Most memory that they take." }),
      persist: bool({
        default: true,
        doc: "Write them to a file each minute and at the stop, so that they outlive a restart.",
      }),
    }),
  },
  "What the broker remembers of itself",
);

const signal = (endpoint: string) =>
  section({
    transport: oneOf({ words: ["grpc", "http"], default: "grpc", doc: "OTLP over grpc, or over http (protobuf)." }),
    endpoint: text({ default: endpoint, doc: "URL of the collector; over grpc its path is not used." }),
  });

export const telemetry = section(
  {
    enabled: bool({
      default: false,
      doc: "Export log lines, and a span for each command but sends and polls, with OpenTelemetry.",
    }),
    serviceName: text({ default: "iggy", doc: "service.name of what is exported." }),
    logs: signal("http://localhost:7281/v1/logs"),
    traces: signal("http://localhost:7281/v1/traces"),
  },
  "Telemetry",
);
